/**
 * The protocol that HTTP teachers speak unless a settings file says otherwise, and that `activemixup serve` serves.
 *
 * `GET` of the address describes the teacher: {@link Description}. `POST` asks: {@link Question}, answered by
 * {@link Reply}, in any order.
 */
import { z } from "zod";
import { MOST_CLASSES } from "../answer-form.js";
import type { AnswerSettings, HttpSettings } from "../settings.js";

const size = z.int().min(1).max(0xffff);

/** What a teacher says of itself. */
export const description = z.object({
  classes: z.int().min(1).max(MOST_CLASSES),
  /** In the order of the classes' numbers. */
  classNames: z.array(z.string()).optional(),
  /** Channels, height and width of the images that it takes. */
  image: z.tuple([size, size, size]).optional(),
  /** Most images in a request. */
  batch: z.int().min(1).optional(),
  /** Tells apart what answers at the same address from one time to another. */
  version: z.string().max(200).optional(),
});

/** What a teacher says of itself: the number of its `classes`, and more. */
export type Description = z.infer<typeof description>;

/** A request. */
export interface Question {
  /** Channels, height and width of every image. */
  readonly shape: readonly [number, number, number];
  /** `raw`: 8-bit pixels C H W; `png`: a file. */
  readonly encoding: "raw" | "png";
  /** `data` is in base64. */
  readonly images: readonly { readonly id: string; readonly data: string }[];
}

/** An answer to a request: each image's probabilities by its id, or why it has none. */
export interface Reply {
  readonly answers: readonly ({ readonly id: string } & (
    { readonly probabilities: readonly number[] } | { readonly error: string }
  ))[];
}

/** The request of the protocol, as a template. */
export function defaultTemplate({ image = "raw" }: HttpSettings): unknown {
  return {
    shape: ["$channels", "$height", "$width"],
    encoding: image,
    images: [{ id: "$id", data: "$image" }],
  };
}

/** Where the protocol's answer has what. */
export const defaultAnswer: AnswerSettings = { items: "answers", id: "id", scores: "probabilities", error: "error" };
