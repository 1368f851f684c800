import type { AnswerForm } from "./answer-form.js";
import type { AskingManner } from "./teacher.js";

/** What a teacher's settings file (`--teacher-config`) says; docs/teachers.md explains each field. */
export interface TeacherSettings {
  /** Name in ledgers, instead of one made of where the teacher is. */
  readonly name?: string | undefined;
  /** Number of classes, where the teacher does not tell it. */
  readonly classes?: number | undefined;
  /** Names of the classes, in the order of their numbers. */
  readonly classNames?: readonly string[] | undefined;
  /** What differs from the teacher's usual manner. */
  readonly asking?: Partial<Omit<AskingManner, "charges">> | undefined;
  readonly answer?: AnswerSettings | undefined;
  readonly http?: HttpSettings | undefined;
  readonly onnx?: OnnxSettings | undefined;
}

/** How answers are read, and where in an HTTP teacher's JSON they are. */
export interface AnswerSettings {
  readonly form?: AnswerForm | undefined;
  readonly normalise?: boolean | undefined;
  readonly unknownLabels?: "refuse" | "ignore" | undefined;
  /** JMESPath to the list that holds one item an image; absent: the answer is the item of the one image asked about. */
  readonly items?: string | undefined;
  /** JMESPath within an item: its scores. */
  readonly scores?: string | undefined;
  /** JMESPath within an item: its class numbers or names. */
  readonly labels?: string | undefined;
  /** JMESPath within an item: the identity that was sent as `$id`; absent: items come in the order of the images. */
  readonly id?: string | undefined;
  /** JMESPath within an item: why it holds no answer. */
  readonly error?: string | undefined;
}

/** How an HTTP teacher is asked. */
export interface HttpSettings {
  readonly method?: "POST" | "PUT" | undefined;
  /** Values may hold `${NAME}`, an environment variable's value; those that can carry a secret have to. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Of the address, like headers. */
  readonly query?: Readonly<Record<string, string>> | undefined;
  /** `json`: {@link template}; `binary`: the image itself; `multipart`: a form with the image as the file of `field`. */
  readonly body?: "json" | "binary" | "multipart" | undefined;
  readonly field?: string | undefined;
  /** How an image is written; in JSON, `png` and `raw` in base64. */
  readonly image?: "png" | "raw" | "numbers" | "data-url" | undefined;
  /** Order of the axes of `raw` and `numbers`. */
  readonly layout?: "NCHW" | "NHWC" | undefined;
  /** Of `numbers`. */
  readonly range?: "0-255" | "0-1" | undefined;
  /** The request's JSON; `$image`, `$id`, `$width`, `$height`, `$channels`, `$count` stand for what is asked about. */
  readonly template?: unknown;
}

/** What an ONNX model takes and gives. */
export interface OnnxSettings {
  readonly input?: string | undefined;
  readonly output?: string | undefined;
  /** Order of the input's axes. */
  readonly layout?: "NCHW" | "NHWC" | undefined;
  /** Type and range of the input: 8-bit numbers, 0 to 255 as floats, or 0 to 1. */
  readonly range?: "u8" | "0-255" | "0-1" | undefined;
  /** Of each channel, in the units of `range`: subtracted before `deviation` divides. */
  readonly mean?: readonly number[] | undefined;
  readonly deviation?: readonly number[] | undefined;
}
