import { join, resolve } from "node:path";
import type { Experiment, ExperimentRow } from "./file.js";
import type { Page } from "./pages.js";

/** Paths as they are shown: as the user gave the folders. */
class Paths {
  constructor(
    private readonly dataRoot: string,
    readonly out: string,
  ) {}

  /** Where an experiment's images are. */
  images({ data }: Experiment): { train: string; test: string } {
    return { train: join(this.dataRoot, data.train), test: join(this.dataRoot, data.test) };
  }

  teacher(name: string): string {
    return join(this.out, "teachers", `${name}.safetensors`);
  }

  /** The folder of a run. */
  run({ name }: Experiment, row: ExperimentRow, seed: number): string {
    return join(this.out, "runs", name, row.name, `seed-${seed}`);
  }

  /** A file of an experiment's results, by the end of its name. */
  results({ name }: Pick<Experiment, "name">, end: string): string {
    return join(this.out, `${name}${end}`);
  }
}

/**
 * Where experiments find and leave things. Runs remember whole paths, so that it does not matter where the command is
 * called; what is shown to the user has the folders as they were given.
 */
export class Layout extends Paths {
  readonly shown: Paths;

  /** @param pages results of runs that need not be run here */
  constructor(
    dataRoot: string,
    out: string,
    readonly pages: readonly Page[] = [],
  ) {
    super(resolve(dataRoot), resolve(out));
    this.shown = new Paths(dataRoot, out);
  }
}
