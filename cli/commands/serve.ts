import { createHash } from "node:crypto";
import { Command } from "commander";
import { InputError } from "../../src/errors.js";
import { decodeNetwork, Predictor, type Network } from "../../src/nn/index.js";
import type { CommonOptions } from "../common-options.js";
import { withDevice } from "../device.js";
import { readWhole } from "../files.js";
import { positive, whole } from "../parse.js";
import { createProgress, type Progress } from "../progress.js";
import { PredictionQueue } from "../serve/queue.js";
import { startServer } from "../serve/server.js";

interface CommandOptions extends CommonOptions {
  readonly model: string;
  readonly port: number;
  readonly host: string;
  readonly maxBody: number;
  readonly tokenEnv?: string;
}

/** Most images in a request, and predicted together. */
const BATCH = 1024;
/** Most images that may wait, and most bytes of them where they are large: some batches. */
const ROOM = 16 * BATCH;
const ROOM_BYTES = 2 ** 28;

/** `activemixup serve`: a network as a teacher over HTTP. */
export function serveCommand(signal: AbortSignal): Command {
  return new Command("serve")
    .description("serve a network over HTTP, as a teacher for distill --teacher http://…")
    .requiredOption("--model <file>", "the network (safetensors)")
    .requiredOption("--port <number>", "where to listen; 0 takes a free port", whole(0))
    .option("--host <address>", "where to listen; 0.0.0.0 lets other machines in", "127.0.0.1")
    .option("--max-body <mebibytes>", "larger requests are refused", positive, 64)
    .option("--token-env <name>", "environment variable that holds the token that requests have to bear")
    .action(async (options: CommandOptions) => {
      const progress = createProgress(options.quiet);
      if (options.port > 0xffff) throw new InputError(`--port ${options.port}; expected at most 65535`);
      const token = options.tokenEnv === undefined ? undefined : tokenIn(options.tokenEnv);
      const bytes = await readWhole("--model", options.model);
      await withDevice(options, progress, async (device) => {
        const network = await decodeNetwork(bytes, options.model, device);
        try {
          await serve(network, createHash("sha256").update(bytes).digest("hex"), token, options, progress, signal);
        } finally {
          network.dispose();
        }
      });
    });
}

async function serve(
  network: Network,
  digest: string,
  token: string | undefined,
  { host, port, maxBody, json }: CommandOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { classes, classNames, image } = network.spec;
  const size = image.channels * image.height * image.width;
  const room = Math.max(BATCH, Math.min(ROOM, Math.floor(ROOM_BYTES / size)));
  const predictor = await Predictor.create(network, BATCH);
  const predict = async (pixels: Uint8Array) => (await predictor.predict(pixels)).probabilities;
  try {
    const server = await startServer({
      ...{ host, port, image, token, maxBody: Math.floor(maxBody * 2 ** 20) },
      description: {
        classes,
        ...(classNames ? { classNames: [...classNames] } : {}),
        image: [image.channels, image.height, image.width],
        batch: BATCH,
        version: digest.slice(0, 12),
      },
      queue: new PredictionQueue(predict, { classes, batch: BATCH, room }),
      onFault: (error) => {
        progress.say(error instanceof Error ? error.message : String(error));
      },
    });
    progress.say(`listening on ${server.url}`);
    if (json)
      process.stdout.write(`${JSON.stringify({ url: server.url, classes, image, version: digest.slice(0, 12) })}\n`);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => {
        resolve();
      });
    });
    await server.stop();
  } finally {
    predictor.dispose();
  }
}

/** @throws InputError where the variable holds no token, without what it holds */
function tokenIn(name: string): string {
  const token = process.env[name];
  if (token === undefined || token === "") {
    throw new InputError(`--token-env ${name}: the environment variable is not set; set it to the token`);
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new InputError(
      `--token-env ${name}: the token holds spaces or other characters that no header can; change it`,
    );
  }
  return token;
}
