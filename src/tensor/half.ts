/** Numbers of 16 bits: IEEE 754 binary16, 1 bit of sign, 5 of exponent, 10 of fraction. */

/** The largest number that 16 bits hold. */
const LARGEST = 65504;
/** The smallest that has all 11 bits of precision: below it, numbers are multiples of 2^-24. */
const SMALLEST_NORMAL = 2 ** -14;
const NAN_BITS = 0x7e00;
const INFINITY_BITS = 0x7c00;

/** The number that 16 bits stand for. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (0x400 + fraction) * 2 ** (exponent - 25);
}

/**
 * The 16 bits of the number nearest to `value`, of two that are as near the even one. What is above the largest by half
 * a step or more becomes infinite; NaN becomes 0x7e00.
 */
export function floatToHalf(value: number): number {
  if (Number.isNaN(value)) return NAN_BITS;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude >= LARGEST + 16) return sign | INFINITY_BITS;
  if (magnitude < SMALLEST_NORMAL) return sign | roundToEven(magnitude * 2 ** 24);
  const exponent = exponentOf(magnitude);
  // Where rounding carries beyond 11 bits, it goes up into the exponent, as it should.
  return sign | (((exponent + 14) << 10) + roundToEven(magnitude * 2 ** (10 - exponent)));
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}

const scratch = new DataView(new ArrayBuffer(8));

/** The e of 2^e ≤ value < 2^(e + 1), from the bits of the number: exact, which a logarithm is not. */
function exponentOf(value: number): number {
  scratch.setFloat64(0, value);
  return ((scratch.getUint32(0) >>> 20) & 0x7ff) - 1023;
}
