/** What a stream of this process can show: how wide its lines are, and whether there are colours. */

/** The variables that say whether colours are wanted. */
export type ColourVariables = Readonly<
  Partial<Record<"FORCE_COLOR" | "NO_COLOR" | "NODE_DISABLE_COLORS" | "TERM", string>>
>;

/**
 * Whether what is written to a stream has colours: on a terminal, unless NO_COLOR is set to anything or the terminal is
 * dumb. FORCE_COLOR decides alone where it is set, as it does for Node: 0 and false are none.
 */
export function hasColours(stream: { readonly isTTY?: boolean }, variables: ColourVariables = process.env): boolean {
  const { FORCE_COLOR, NO_COLOR, NODE_DISABLE_COLORS, TERM } = variables;
  if (FORCE_COLOR !== undefined) return !["0", "false"].includes(FORCE_COLOR);
  if (NO_COLOR || NODE_DISABLE_COLORS || TERM === "dumb") return false;
  return stream.isTTY === true;
}

/** Puts text into a colour or weight. */
export type Paint = (text: string) => string;

/** How text on a stream is set off; not at all where the stream has no colours. */
export interface Paints {
  /** Heads of tables. */
  readonly bold: Paint;
  /** Mistakes. */
  readonly red: Paint;
  /** Warnings. */
  readonly yellow: Paint;
  /** What is done. */
  readonly cyan: Paint;
}

function sequence(on: number, off: number): Paint {
  return (text) => (text === "" ? text : `\x1b[${on}m${text}\x1b[${off}m`);
}

const painted: Paints = {
  bold: sequence(1, 22),
  red: sequence(31, 39),
  yellow: sequence(33, 39),
  cyan: sequence(36, 39),
};
const plainText: Paint = (text) => text;
const plain: Paints = { bold: plainText, red: plainText, yellow: plainText, cyan: plainText };

/** How text on a stream is set off. */
export function paintsOf(stream: { readonly isTTY?: boolean }, variables?: ColourVariables): Paints {
  return hasColours(stream, variables) ? painted : plain;
}

/** Characters in a line of what is no terminal, or does not say. */
export const LINE = 80;

/** How tables are laid out on a stream. */
export interface TableLayout {
  /** Characters in a line. */
  readonly columns: number;
  /** How the head is set off. */
  readonly head: Paint;
}

/** How tables are laid out on standard output: as wide as a terminal is, and elsewhere at most 80 characters wide. */
export function tableLayout(
  stream: { readonly isTTY?: boolean; readonly columns?: number } = process.stdout,
  variables?: ColourVariables,
): TableLayout {
  return { columns: (stream.isTTY && stream.columns) || LINE, head: paintsOf(stream, variables).bold };
}
