import type { ChannelSizes } from "./channels.js";

/** Defines a channel's sum: out[c] = Σ_{n,p} x[n, c, p], in f64. */
export function sumReference(x: Float32Array, out: Float32Array, { samples, channels, positions }: ChannelSizes): void {
  for (let channel = 0; channel < channels; channel++) {
    let total = 0;
    for (let sample = 0; sample < samples; sample++) {
      const first = (sample * channels + channel) * positions;
      for (let index = first; index < first + positions; index++) total += x[index];
    }
    out[channel] = total;
  }
}

/** Defines a channel's maximum: out[c] = max_{n,p} x[n, c, p]; NaN where one of the elements is NaN. */
export function maxReference(x: Float32Array, out: Float32Array, { samples, channels, positions }: ChannelSizes): void {
  for (let channel = 0; channel < channels; channel++) {
    let largest = -Infinity;
    for (let sample = 0; sample < samples; sample++) {
      const first = (sample * channels + channel) * positions;
      for (let index = first; index < first + positions; index++) {
        if (x[index] > largest || Number.isNaN(x[index])) largest = x[index];
      }
    }
    out[channel] = largest;
  }
}
