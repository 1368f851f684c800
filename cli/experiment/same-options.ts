/** Options with their values, given or not. */
export type Settings = Readonly<Record<string, unknown>>;

/**
 * How options differ from those of earlier work, in words; nothing where they do not. An option that the earlier work
 * did not know, and that is not meant now either, is no difference: it came to the command since.
 * @param then those of the earlier work, with its defaults
 * @param now with the defaults of now
 * @param meant names of those that are given now, or implied by a given one
 * @param ignored names of those that may differ
 */
export function optionDifference(
  then: object,
  now: object,
  meant: ReadonlySet<string>,
  ignored: readonly string[],
): string | undefined {
  const [before, after] = [then, now].map((options) => new Map(Object.entries(options)));
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    if (ignored.includes(name) || (!before.has(name) && !meant.has(name))) continue;
    const [was, is] = [before, after].map((options) => JSON.stringify(options.get(name)) ?? "absent");
    if (was !== is) return `${name} is now ${is}, and was ${was}`;
  }
  return undefined;
}
