/** Options of every command that takes a data set, and the one way in which they open it. */
import { InvalidArgumentError, Option, type Command } from "commander";
import { fits, openImageSet, type Fit, type ImageSet, type ImageSize, type Rgb } from "../src/data/index.js";
import { InputError } from "../src/errors.js";
import type { Progress } from "./progress.js";

/** How the files of an image folder become images, as given on the command line. */
export interface ImageCommandOptions {
  readonly size?: ImageSize;
  readonly fit?: Fit;
  readonly channels?: 1 | 3;
  readonly background?: Rgb;
  readonly skipBad?: boolean;
  readonly cache?: boolean;
}

/** Adds the options that say how image files become images of one size. */
export function withImageOptions(command: Command): Command {
  return command
    .option("--size <size>", "height by width to which image files are brought: 32 or 32x48", imageSize)
    .addOption(
      new Option("--fit <fit>", "with --size: cut off what juts out, show all, or distort (default: cover)").choices(
        fits,
      ),
    )
    .option("--channels <count>", "of image files, 1 (grey) or 3 (default: 1 if all of them are grey)", channelCount)
    .option(
      "--background <color>",
      "seen through transparent pixels, and beside images with --fit contain: white, black or #rrggbb (default: white)",
      color,
    )
    .option("--skip-bad", "leave out image files that cannot be read, instead of ending with their names")
    .option("--no-cache", "decode image files anew, and keep nothing of it in the user's cache folder");
}

/**
 * Opens a data set, with progress and notices.
 * @param spec `PATH` or `PATH:SPLIT`
 * @throws InputError, in one line, for whatever is wrong with it; what `signal` is aborted with
 */
export async function openImages(
  spec: string,
  options: ImageCommandOptions,
  progress: Progress,
  signal?: AbortSignal,
): Promise<ImageSet> {
  const { size, fit, channels, background, skipBad, cache = true } = options;
  if (fit && !size) {
    throw new InputError(`--fit ${fit} says how images are brought to --size, which is missing; give it too`);
  }
  try {
    return await openImageSet(spec, {
      ...{ size, fit, channels, background, skipBad, cache, signal },
      onProgress: (done, total) => {
        progress.update(`reading ${spec}`, done, total, "images");
      },
      onNotice: (line) => {
        progress.say(line);
      },
    });
  } finally {
    progress.end();
  }
}

/** `32`, a square, or `32x48`, height by width. */
function imageSize(text: string): ImageSize {
  const [, height, width = height] = /^([1-9]\d*)(?:x([1-9]\d*))?$/i.exec(text) ?? [];
  if (!height || Math.max(Number(height), Number(width)) > 4096) {
    throw new InvalidArgumentError("expected pixels from 1 to 4096, for example 32, or height by width, 32x48.");
  }
  return { height: Number(height), width: Number(width) };
}

function channelCount(text: string): 1 | 3 {
  if (text === "1") return 1;
  if (text === "3") return 3;
  throw new InvalidArgumentError("expected 1 (grey) or 3 (red, green, blue).");
}

function color(text: string): Rgb {
  const named: Record<string, Rgb | undefined> = { white: [255, 255, 255], black: [0, 0, 0] };
  const [, ...parts] = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text) ?? [];
  if (parts.length === 3) return [parseInt(parts[0], 16), parseInt(parts[1], 16), parseInt(parts[2], 16)];
  const known = named[text.toLowerCase()];
  if (known) return known;
  throw new InvalidArgumentError("expected white, black, or red, green and blue as #rrggbb, for example #808080.");
}
