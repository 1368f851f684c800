/** The images that a network takes. */
export interface ImageShape {
  readonly channels: number;
  /** Pixels. */
  readonly height: number;
  /** Pixels. */
  readonly width: number;
}
