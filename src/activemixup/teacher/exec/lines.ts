/** Longest line that is kept or passed on, in characters: the rest of it is cut off. */
const LONGEST = 1000;

/** Cuts text that comes in pieces into lines and remembers the last ones. Progress bars end theirs with returns. */
export class Lines {
  private readonly kept: string[] = [];
  private open = "";

  /**
   * @param remember number of lines
   * @param onLine hears of each line that is not empty
   */
  constructor(
    private readonly remember: number,
    private readonly onLine?: (line: string) => void,
  ) {}

  push(text: string): void {
    const [first, ...others] = text.split(/\r\n|\r|\n/);
    this.extend(first);
    for (const part of others) {
      this.end();
      this.extend(part);
    }
  }

  /** The text has come to its end. */
  end(): void {
    const line = this.open.trimEnd();
    this.open = "";
    if (line === "") return;
    this.kept.push(line);
    if (this.kept.length > this.remember) this.kept.shift();
    this.onLine?.(line);
  }

  /** The last lines, oldest first. */
  get last(): readonly string[] {
    return this.kept;
  }

  private extend(part: string): void {
    this.open = (this.open + part.slice(0, LONGEST)).slice(0, LONGEST);
  }
}
