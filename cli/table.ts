import type { TableLayout } from "./terminal.js";

const GAP = "  ";

/**
 * A table for a terminal: columns as wide as their widest cell, the first to the left, the others to the right. Where
 * that is wider than a line, the columns that do not fit follow in further tables below, each behind the first columns.
 * @param rows the first is the head
 * @param keys first columns, which tell the rows apart
 */
export function formatTable(
  rows: readonly (readonly string[])[],
  { columns, head }: Partial<TableLayout> = {},
  keys = 1,
): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const format = (row: readonly string[], shown: readonly number[]) =>
    shown
      .map((column) => (column === 0 ? row[column].padEnd(widths[column]) : row[column].padStart(widths[column])))
      .join(GAP)
      .trimEnd();
  return blocksOf(widths, keys, columns ?? Infinity)
    .map((shown) => rows.map((row, index) => (index === 0 && head ? head(format(row, shown)) : format(row, shown))))
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

/** Which columns stand in each table so that none is wider than a line; the keys in all of them. */
function blocksOf(widths: readonly number[], keys: number, columns: number): number[][] {
  const first = widths.slice(0, keys);
  const least = first.reduce((sum, width) => sum + width, (first.length - 1) * GAP.length);
  const blocks: number[][] = [[...first.keys()]];
  let width = least;
  for (let column = keys; column < widths.length; column++) {
    const more = GAP.length + widths[column];
    const block = blocks.at(-1)!;
    if (block.length > keys && width + more > columns) {
      blocks.push([...first.keys(), column]);
      width = least + more;
    } else {
      block.push(column);
      width += more;
    }
  }
  return blocks;
}

/** A share as percent with two decimals, or a dash where there is none. */
export function percent(share: number | undefined): string {
  return share === undefined ? "–" : `${(100 * share).toFixed(2)}%`;
}

/** A size on disk: `712 B`, `3.4 MB`. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const power = Math.min(4, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(1)} ${["B", "kB", "MB", "GB", "TB"][power]}`;
}

/** Text from a file, on one line and without control characters, which a terminal would follow. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
