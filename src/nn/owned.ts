/** Parts that are made one after the other, to be disposed of together where a later one fails. */
export class Owned {
  private readonly parts: { dispose(): void }[] = [];

  readonly own = <T extends { dispose(): void }>(part: T): T => {
    this.parts.push(part);
    return part;
  };

  dispose(): void {
    for (const part of this.parts) part.dispose();
  }
}
