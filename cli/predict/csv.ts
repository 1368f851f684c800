/** A field as RFC 4180 has it: in quotes where it holds a comma, a quote or the end of a line. */
function field(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** A line of a CSV file, its end included. */
export function csvLine(values: readonly string[]): string {
  return `${values.map(field).join(",")}\r\n`;
}
