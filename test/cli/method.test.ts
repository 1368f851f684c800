import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { describeRound } from "../../cli/distill/describe.js";
import { idleOption, methodOptions } from "../../cli/distill/method.js";
import { withDistillOptions, type DistillCommandOptions } from "../../cli/distill/options.js";
import { localManner, recipes, serviceManner, type RoundReport, type Teacher } from "../../src/activemixup/index.js";

const words = ["--images", "digits", "--student", "lenet5", "--n", "20", "--budget", "40", "--out", "run"];

function parse(...more: string[]): DistillCommandOptions {
  return withDistillOptions(new Command("distill"))
    .parse([...words, ...more], { from: "user" })
    .opts();
}

describe("methodOptions", () => {
  it("goes on with a run that was begun before there were candidates and warps as it began", () => {
    const now: Partial<DistillCommandOptions> = parse();
    const { candidates, augment, augmentShare, ...then } = now;
    expect([candidates, augment, augmentShare]).toEqual(["mix", "none", 0.5]);
    expect(methodOptions(then as DistillCommandOptions, [])).toEqual(methodOptions(parse(), []));
  });

  it("makes candidates brighter or darker where told so, and no training images", () => {
    const more = ["--candidates", "warp", "--augment", "light", "--brightness", "0.4"];
    const { candidateWarps, augmentation } = methodOptions(parse(...more), []);
    expect([candidateWarps.brightness, augmentation.warp?.brightness]).toEqual([0.4, undefined]);
    expect(() => methodOptions(parse("--brightness", "0.4"), [])).toThrow(
      /^--brightness is of warped candidates, and --candidates mix has none; leave it out, or give other --candidates$/,
    );
  });

  it("has second images among the neighbours of the first where told so", () => {
    expect(methodOptions(parse("--candidates", "cutmix"), []).neighbours).toBe(undefined);
    expect(methodOptions(parse("--candidates", "cutmix", "--neighbours", "10"), []).neighbours).toBe(10);
  });

  it("keeps some of the budget for attempts that fail, where they may be charged for", () => {
    const paid = (batch: number, concurrency: number) =>
      ({ manner: { ...serviceManner, batch, concurrency } }) as unknown as Teacher;
    const free = { manner: localManner } as unknown as Teacher;
    const kept = (budget: number, teachers: readonly Teacher[], ...more: string[]) => {
      const { reserve, countFailed } = methodOptions({ ...parse(...more), budget }, teachers);
      return [reserve, countFailed];
    };
    expect(kept(10_000, [paid(32, 4)])).toEqual([200, true]); // 2% of the budget
    expect(kept(2000, [paid(32, 4)])).toEqual([128, true]); // what is under way at a time
    expect(kept(2000, [free, paid(8, 2), paid(32, 4)])).toEqual([128, true]);
    expect(kept(60, [paid(32, 4)])).toEqual([10, true]); // a quarter of what 20 real images leave
    expect(kept(20, [paid(32, 4)])).toEqual([0, true]);
    expect(kept(10_000, [free])).toEqual([0, true]);
    expect(kept(10_000, [paid(32, 4)], "--free-retries")).toEqual([0, false]);
    expect(kept(10_000, [paid(32, 4)], "--reserve", "7")).toEqual([7, true]);
    expect(kept(10_000, [free], "--reserve", "7")).toEqual([7, true]);
  });

  it("averages weights where told so", () => {
    expect(methodOptions(parse(), []).average).toBe(undefined);
    expect(methodOptions(parse("--average", "0.25"), []).average).toBe(0.25);
  });

  it("has candidates labelled behind the last query where told so", () => {
    expect(methodOptions(parse(), []).pseudoLabels).toBe(undefined);
    const { pseudoLabels, committee } = methodOptions(parse("--pseudo-labels", "500", "--committee", "2"), []);
    expect([pseudoLabels, committee]).toEqual([500, 2]);
    const round = { round: 2, queries: 40, loss: 1, seconds: { train: 2 }, pseudoLabels } as unknown as RoundReport;
    expect(describeRound(round)).toBe("round 2: 40 queries, 500 pseudo-labels, loss 1.0000, 2.0 s");
    expect(describeRound({ ...round, pseudoLabels: undefined })).toBe("round 2: 40 queries, loss 1.0000, 2.0 s");
  });

  it("warps training images and candidates alike, where there is no word to the contrary", () => {
    const { augmentation, candidateWarps } = methodOptions(parse("--augment", "light", "--flip"), []);
    expect(augmentation.warp).toMatchObject({ rotation: 4, share: 0.5, flip: true });
    expect(methodOptions(parse("--augment", "light", "--augment-rounds", "2"), []).augmentRounds).toBe(2);
    expect(methodOptions(parse("--shrink", "0.25"), []).shrink).toBe(0.25);
    expect(candidateWarps).toMatchObject({ rotation: 4, share: 1, flip: true });
    const other = methodOptions(
      parse("--augment", "light", "--candidates", "warp", "--candidate-warps", "elastic"),
      [],
    );
    expect(other.augmentation.warp).toMatchObject({ elastic: 0 });
    expect(other.candidateWarps).toMatchObject({ elastic: 1, flip: false });
    expect(methodOptions(parse("--candidates", "warp"), []).candidateWarps).toMatchObject({ rotation: 12, elastic: 0 });
  });
});

describe("options of other candidates", () => {
  it("are refused", () => {
    expect(() => methodOptions(parse("--candidate-warps", "light"), [])).toThrowErrorMatchingInlineSnapshot(
      `[InputError: --candidate-warps is of warped candidates, and --candidates mix has none; leave it out, or give other --candidates]`,
    );
    const composed = parse("--candidates", "mixture", "--exact-blends");
    expect(() => methodOptions(composed, [])).toThrowErrorMatchingInlineSnapshot(
      `[InputError: --exact-blends is of --candidates mix; mixture is seen in 8 bits always: leave it out]`,
    );
    expect(methodOptions(parse("--exact-blends"), []).blendAt).toBe("pixels");
  });

  it("are refused where they are given and would change nothing", () => {
    const idle = (...more: string[]) => {
      const command = withDistillOptions(new Command("distill")).parse([...words, ...more], { from: "user" });
      const names = command.options.map((option) => option.attributeName());
      const given = new Set(names.filter((name) => command.getOptionValueSource(name) === "cli"));
      return idleOption(command.opts(), given);
    };
    expect(idle("--lambdas", "0.5", "--recipe", "best")).toMatchInlineSnapshot(
      `"--lambdas is of --candidates mix, and mixture takes none: leave it out"`,
    );
    expect(idle("--augment-share", "0.5")).toMatchInlineSnapshot(
      `"--augment-share is of images that --augment warps, and it is none; leave it out, or give --augment too"`,
    );
    expect(idle("--augment-rounds", "1")).toMatch(
      /^--augment-rounds is of images that --augment warps, and it is none/,
    );
    for (const option of [
      ["--pool", "9"],
      ["--lambdas", "0.5"],
      ["--restart"],
      ["--shrink", "0.5"],
      ["--rounds", "2"],
      ["--totals", "9"],
      ["--candidates", "warp"],
      ["--candidate-warps", "light"],
      ["--brightness", "0.3"],
      ["--neighbours", "3"],
      ["--exact-blends"],
    ]) {
      expect(idle("--strategy", "real-only", ...option)).toBe(
        `${option[0]} is of rounds that choose, and --strategy real-only has none: leave it out`,
      );
    }
    expect(idle("--strategy", "random", "--exact-blends")).toBe(
      "--exact-blends is of blends that are scored, and --strategy random scores none: leave it out",
    );
    expect(idle("--totals", "12", "--rounds", "7")).toBe("--rounds is of no account beside --totals: leave one out");
    expect(idle("--totals", "12", "--per-round", "3")).toMatch(/^--per-round is of no account beside --totals/);
    expect(idle("--per-round", "9", "--rounds", "2")).toMatch(/^--rounds is of no account beside --per-round/);
    expect(idle("--steps", "12", "--epochs", "3")).toMatch(/^--epochs is of no account beside --steps/);
    expect(idle("--restart", "--shrink", "0.5")).toMatch(/^--shrink is of no account beside --restart/);
    expect(idle("--ask-test")).toBe(
      "--ask-test is of test images, and there are none; give --test too, or leave it out",
    );
    for (const right of [
      ["--candidates", "mixture"],
      ["--lambdas", "0.5"],
      ["--per-round", "9"],
      ["--exact-blends"],
      ["--strategy", "real-only", "--steps", "9", "--recipe", "best"],
      ["--ask-test", "--test", "digits:test"],
      ["--augment", "light", "--augment-share", "1", "--augment-rounds", "2"],
    ]) {
      expect(idle(...right)).toBe(undefined);
    }
  });
});

describe("--recipe", () => {
  it("settles what is not given, in whatever order the options stand", () => {
    const { strategy, candidates, augment, temperature } = recipes.best;
    const best = { strategy, candidates, augment, temperature };
    expect(parse("--recipe", "best")).toMatchObject({ recipe: "best", ...best });
    for (const order of [
      ["--recipe", "best", "--augment", "elastic"],
      ["--augment", "elastic", "--recipe", "best"],
    ]) {
      expect(parse(...order)).toMatchObject({ ...best, augment: "elastic" });
    }
  });
});
