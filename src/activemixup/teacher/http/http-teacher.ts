import { InputError } from "../../../errors.js";
import type { ImageShape } from "../../../nn/index.js";
import type { AnswerForm } from "../answer-form.js";
import { expectImageShape } from "../image-shape.js";
import { oneLine, redact } from "../secrets.js";
import { AnswerFault, type Answer, type AskingManner, type QueryBatch, type Teacher } from "../teacher.js";
import type { AnswerReader } from "./answers.js";
import { exchange, type Address } from "./exchange.js";
import type { RequestWriter } from "./request.js";

export interface HttpTeacherParts {
  readonly address: Address;
  readonly classes: number;
  readonly form: AnswerForm;
  readonly classNames?: readonly string[] | undefined;
  readonly manner: AskingManner;
  /** Images that it takes: of any shape where absent. */
  readonly image?: ImageShape | undefined;
  readonly request: RequestWriter;
  readonly answers: AnswerReader;
}

/** Somebody else's service, asked over HTTP; `openHttpTeacher` makes one. */
export class HttpTeacher implements Teacher {
  constructor(private readonly parts: HttpTeacherParts) {}

  get name(): string {
    return this.parts.address.name;
  }

  get classes(): number {
    return this.parts.classes;
  }

  get form(): AnswerForm {
    return this.parts.form;
  }

  get classNames(): readonly string[] | undefined {
    return this.parts.classNames;
  }

  get manner(): AskingManner {
    return this.parts.manner;
  }

  /** @throws TeacherFault where asking again may help; InputError where it will not */
  async query(batch: QueryBatch, signal?: AbortSignal): Promise<Answer[]> {
    const { address, request, answers } = this.parts;
    this.checkShape(batch);
    const json = await exchange(address, request.write(batch), signal);
    return answers.read(json, batch.ids).map((answer) => {
      if (!(answer instanceof AnswerFault)) return answer;
      return new AnswerFault(oneLine(redact(answer.message, address.secrets)));
    });
  }

  checkShape(images: ImageShape): void {
    const { image, request } = this.parts;
    const { channels } = images;
    if (image) expectImageShape(this.name, image, images);
    if (request.png && channels !== 1 && channels !== 3) {
      throw new InputError(
        `the teacher ${this.name} is sent PNG images, of 1 or 3 channels; these have ${channels}: ` +
          `send raw pixels or numbers (\`http.image\`)`,
      );
    }
  }
}
