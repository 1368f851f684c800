import { strict as assert } from "node:assert";

/**
 * The numbers that all runners compute with, and what they have to get from them. The values are multiples of 1/256
 * from −½ up, so that f16 holds them exactly.
 */

/** `length` reproducible numbers from −½ to ½. */
export function numbers(length, seed) {
  const values = new Float32Array(length);
  let state = (seed * 2654435761) >>> 0;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[index] = (state >>> 24) / 256 - 0.5;
  }
  return values;
}

const product = (shape) => shape.reduce((size, length) => size * length, 1);

/** Moves the axis of channels: [N, C, H, W] to [N, H, W, C]. */
export function channelsLast(values, [batch, channels, height, width]) {
  const moved = new Float32Array(values.length);
  const area = height * width;
  for (let image = 0; image < batch; image++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let place = 0; place < area; place++) {
        const from = (image * channels + channel) * area + place;
        moved[(image * area + place) * channels + channel] = values[from];
      }
    }
  }
  return moved;
}

/** Filters [out, in, kernel, kernel] to [kernel, kernel, in, out]. */
export function filtersLast(values, [outputs, channels, kernel]) {
  const moved = new Float32Array(values.length);
  const area = kernel * kernel;
  for (let output = 0; output < outputs; output++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let place = 0; place < area; place++) {
        moved[(place * channels + channel) * outputs + output] = values[(output * channels + channel) * area + place];
      }
    }
  }
  return moved;
}

/** Both operands of a matrix product, row by row. */
export function matmulInputs({ size }) {
  return { a: numbers(size * size, 1), b: numbers(size * size, 2) };
}

/** Images [N, C, H, W], filters [out, in, kernel, kernel] and the shapes of these and of the result. */
export function convInputs({ input, outputs, kernel, padding }) {
  const [batch, channels, height, width] = input;
  const filter = [outputs, channels, kernel, kernel];
  const output = [batch, outputs, height + 2 * padding - kernel + 1, width + 2 * padding - kernel + 1];
  return { x: numbers(product(input), 3), w: numbers(product(filter), 4), input, filter, output };
}

/**
 * Both stacks of images and each pair's λ, in halves: a whole stack is larger than what software drivers bind at once.
 * @returns {{ a: Float32Array, b: Float32Array, weights: Float32Array, shape: number[] }[]}
 */
export function blendInputs({ shape: [batch, ...image] }) {
  const shape = [batch / 2, ...image];
  return [5, 6].map((seed) => ({
    a: numbers(product(shape), seed),
    b: numbers(product(shape), seed + 2),
    weights: numbers(batch / 2, seed + 4).map((value) => value + 0.5),
    shape,
  }));
}

/** Images, soft labels and learning rate of a training step; the labels of an image sum to one. */
export function trainingInputs({ network, batch }) {
  const image = network === "vgg16" ? [3, 32, 32] : [1, 28, 28];
  const targets = numbers(10 * batch, 12).map((value) => value + 0.5);
  for (let row = 0; row < batch; row++) {
    const labels = targets.subarray(10 * row, 10 * row + 10);
    const sum = labels.reduce((total, value) => total + value, 0);
    for (let label = 0; label < 10; label++) labels[label] /= sum;
  }
  return { images: numbers(batch * product(image), 11), shape: [batch, ...image], targets, learningRate: 0.01 };
}

const SPOTS = 16;

/** Places to look at, spread over `size` and different in every axis. */
function spots(size) {
  return Array.from({ length: SPOTS }, (_, index) => Math.floor(((index + 0.37) * size) / SPOTS));
}

/**
 * Compares some elements of a matrix product with sums in double precision.
 * @throws where one is wrong, so that no engine is timed for nonsense
 */
export function checkMatmul({ size, dtype }, { a, b }, values) {
  for (const spot of spots(size * size)) {
    const [row, column] = [Math.floor(spot / size), spot % size];
    let sum = 0;
    for (let k = 0; k < size; k++) sum += a[row * size + k] * b[k * size + column];
    expectClose(values[spot], sum, dtype === "f16" ? 2e-2 : 1e-3, `element ${row}, ${column}`);
  }
}

/**
 * The same for a convolution.
 * @param {(spot: readonly number[]) => number} at reads the element [n, channel, y, x] of the result
 */
export function checkConv({ padding }, { x, w, input, filter, output }, at) {
  const [, channels, height, width] = input;
  const kernel = filter[2];
  for (const spot of spots(product(output))) {
    const [column, row] = [spot % output[3], Math.floor(spot / output[3]) % output[2]];
    const map = Math.floor(spot / (output[2] * output[3]));
    const [out, image] = [map % output[1], Math.floor(map / output[1])];
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) {
      for (let tap = 0; tap < kernel * kernel; tap++) {
        const [y, left] = [row + Math.floor(tap / kernel) - padding, column + (tap % kernel) - padding];
        if (y < 0 || y >= height || left < 0 || left >= width) continue;
        const weight = w[(out * channels + channel) * kernel * kernel + tap];
        sum += weight * x[((image * channels + channel) * height + y) * width + left];
      }
    }
    expectClose(at([image, out, row, column]), sum, 1e-3, `element ${image}, ${out}, ${row}, ${column}`);
  }
}

/** The same for a half of the blends, in the order in which the images came. */
export function checkBlend({ a, b, weights, shape }, values) {
  const image = product(shape.slice(1));
  for (const spot of spots(values.length)) {
    const weight = weights[Math.floor(spot / image)];
    expectClose(values[spot], weight * a[spot] + (1 - weight) * b[spot], 1e-5, `element ${spot}`);
  }
}

/** Losses and logits have no expected value here, but they are numbers. */
export function checkFinite(values, what) {
  const position = values.findIndex((value) => !Number.isFinite(value));
  assert.equal(position, -1, `wrong result: ${what} ${position} is ${values[position]}`);
}

function expectClose(found, expected, tolerance, place) {
  const close = Math.abs(found - expected) <= tolerance * Math.max(1, Math.abs(expected));
  assert.ok(close, `wrong result: ${place} is ${found}, expected ${expected}`);
}
