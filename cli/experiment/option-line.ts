import { Command, CommanderError, type Option } from "commander";
import { InputError } from "../../src/errors.js";

/** The value of an option in an experiment's file; null takes back what `common` says. */
export type OptionValue = string | number | boolean | null | readonly (string | number)[];

/** Options by their names in camelCase: `perRound` is `--per-round`. */
export type OptionValues = Readonly<Record<string, OptionValue>>;

/** A command's options, as its own parser has read them. */
export interface ParsedOptions<T> {
  readonly options: T;
  /** Names of those that were given. */
  readonly given: ReadonlySet<string>;
  /** Of those that were given, and of those that a given one implies, as a recipe does; the others are defaults. */
  readonly meant: ReadonlySet<string>;
  /** As on a command line: `["--n", "2000"]`. */
  readonly words: readonly string[];
}

/**
 * Reads options of a file with the parser of the command that they are for, so that the file can say what the command
 * can, no less and no more, and the command line that does the same is known.
 * @param withOptions adds the command's options
 * @param fixed words of the command line that the file does not say: they come first
 * @param reserved names that the file may not give, since `fixed` or the experiment gives them
 * @param place for errors: `experiments/a.json: row "random"`
 * @throws InputError that names the place and the option
 */
export function parseOptionValues<T>(
  withOptions: (command: Command) => Command,
  values: OptionValues,
  fixed: readonly string[],
  reserved: readonly string[],
  place: string,
): ParsedOptions<T> {
  const refuse = (message: string) => new InputError(`${place}: ${message}`);
  const command = withOptions(new Command("options")).exitOverride();
  command.configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  const allowed = command.options.filter((option) => !reserved.includes(option.attributeName()));
  const words: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    if (reserved.includes(name)) throw refuse(`${name} is set by the experiment; leave it out`);
    const options = allowed.filter((option) => option.attributeName() === name);
    if (options.length === 0) {
      const known = [...new Set(allowed.map((option) => option.attributeName()))].join(", ");
      throw refuse(`${name} is no option; expected one of ${known}`);
    }
    words.push(...wordsOf(name, value, options, refuse));
  }
  try {
    command.parse([...fixed, ...words], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) throw refuse(error.message.replace(/^error: /, "").replace(/\s*\n\s*/g, " "));
    throw error;
  }
  const given = new Set(Object.keys(values).filter((name) => command.getOptionValueSource(name) === "cli"));
  const implied = command.options
    .map((option) => option.attributeName())
    .filter((name) => command.getOptionValueSource(name) === "implied");
  return { options: command.opts() as T, given, meant: new Set([...given, ...implied]), words };
}

function wordsOf(
  name: string,
  value: OptionValue,
  options: readonly Option[],
  refuse: (message: string) => InputError,
): string[] {
  const positive = options.find((option) => !option.negate);
  const negative = options.find((option) => option.negate);
  if (value === null) return [];
  const takesValue = positive?.required === true || positive?.optional === true;
  if (value === false) {
    if (takesValue && !negative) throw refuse(`${name} is false; expected a value, or null to take back another`);
    return negative ? [negative.long!] : [];
  }
  if (value === true) {
    if (!positive) return [];
    if (positive.required) throw refuse(`${name} is true; expected a value`);
    return [positive.long!];
  }
  if (!positive || !takesValue) throw refuse(`${name} is ${JSON.stringify(value)}; expected true or false`);
  return [positive.long!, String(value)];
}

/** A command line that a shell reads as these words. */
export function shellLine(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(" ");
}
