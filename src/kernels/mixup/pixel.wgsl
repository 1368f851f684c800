// 8-bit pixels of images that are packed four a word, the first in the lowest bits. Declares nothing but functions; the
// kernel that it is joined to binds `images: array<u32>`.

const BYTE_SHIFTS = vec4u(0u, 8u, 16u, 24u);

// Pixel number `index` of all images.
fn pixel_at(index: u32) -> u32 {
  return (images[index >> 2u] >> (8u * (index & 3u))) & 0xffu;
}

// Pixels index … index + 3 modulo 2^32, which may begin within a word, and before the first pixel. Those that lie
// outside the images are arbitrary; no word outside is read.
fn four_pixels(index: u32) -> vec4u {
  let last = arrayLength(&images) - 1u;
  let word = index >> 2u;
  // The word after 0x3fffffff, which holds pixels −4 to −1, is word 0.
  let low = images[min(word, last)];
  let shift = 8u * (index & 3u);
  var bytes = low >> shift;
  if (shift != 0u) { bytes |= images[min((word + 1u) & 0x3fffffffu, last)] << (32u - shift); }
  return (vec4u(bytes) >> BYTE_SHIFTS) & vec4u(0xffu);
}

// (a·w + b·(65536 − w)) / 65536 rounded half up, at most 255: whole numbers, the same bits on every device.
fn blended(a: vec4u, b: vec4u, weight: vec4u) -> vec4u {
  return (a * weight + b * (65536u - weight) + 32768u) >> vec4u(16u);
}
