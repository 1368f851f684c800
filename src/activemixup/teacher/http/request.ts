/** Makes requests out of batches, as the settings say. */
import { InputError } from "../../../errors.js";
import type { HttpSettings } from "../settings.js";
import type { QueryBatch } from "../teacher.js";
import { byteWriter, jsonWriter } from "./image.js";
import { defaultTemplate } from "./protocol.js";
import { compileTemplate } from "./template.js";

export interface HttpRequest {
  readonly method: string;
  readonly body: string | Uint8Array<ArrayBuffer> | FormData;
  /** The body's type, where the client does not know it. */
  readonly type?: string | undefined;
}

export interface RequestWriter {
  /** Whether a request can be about several images. */
  readonly several: boolean;
  /** Whether images are sent as PNG files, which have 1 or 3 channels. */
  readonly png: boolean;
  write(batch: QueryBatch): HttpRequest;
}

const BINARY = { png: "image/png", raw: "application/octet-stream" };

/**
 * Compiles how requests are written.
 * @param where names the settings in errors: `teacher.json: http`
 * @throws InputError where settings contradict each other
 */
export async function compileRequest(settings: HttpSettings, where: string): Promise<RequestWriter> {
  const { method = "POST", body = "json", template, field = "image" } = settings;
  const only = (name: keyof HttpSettings, fits: boolean, needs: string) => {
    if (settings[name] === undefined || fits) return;
    throw new InputError(`${where}.${name} is of no use here; leave it out, or set ${needs}`);
  };
  const { image = body === "json" ? "raw" : "png" } = settings;
  only("template", body === "json", "http.body to json");
  only("field", body === "multipart", "http.body to multipart");
  only("layout", image === "raw" || image === "numbers", "http.image to raw or numbers");
  only("range", image === "numbers", "http.image to numbers");
  const standard = body === "json" && template === undefined;
  only("layout", !standard, "http.template");
  if (standard && image !== "raw" && image !== "png") {
    throw new InputError(`${where}.image is ${image}; expected raw or png, or a template (http.template)`);
  }
  if (body === "json") {
    const compiled = compileTemplate(template ?? defaultTemplate({ image }), `${where}.template`);
    const write = await jsonWriter({ ...settings, image });
    return {
      several: compiled.repeats,
      png: image === "png" || image === "data-url",
      write: (batch) => {
        const { channels, height, width, count } = batch;
        const scenes = batch.ids.map((id, at) => ({
          ...{ image: write(batch, imageAt(batch, at)), id },
          ...{ width, height, channels, count },
        }));
        return { method, body: JSON.stringify(compiled.fill(scenes)), type: "application/json" };
      },
    };
  }
  if (image !== "png" && image !== "raw") {
    throw new InputError(`${where}.image is ${image}; expected png or raw, since http.body is ${body}`);
  }
  const write = await byteWriter({ ...settings, image });
  const type = BINARY[image];
  return {
    several: false,
    png: image === "png",
    write: (batch) => {
      const bytes = write(batch, imageAt(batch, 0));
      if (body === "binary") return { method, body: bytes, type };
      const form = new FormData();
      form.set(field, new Blob([bytes], { type }), `image.${image}`);
      return { method, body: form };
    },
  };
}

/** Pixels of one image of a batch. */
function imageAt({ pixels, count }: QueryBatch, at: number): Uint8Array {
  const size = pixels.length / count;
  return pixels.subarray(at * size, (at + 1) * size);
}
