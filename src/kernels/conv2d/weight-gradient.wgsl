// The parameters of the kernels of the weights' gradient: parts[p, o, c, ky, kx] =
//   Σ_{n, y, x} d_out[n, o, y, x] · image[n, c, y·stride + ky − padding, x·stride + kx − padding]
// over the output pixels (n, y, x) of part p: `part_depth` in each, which is the pixels of `images_per_part` images but
// for tiles, whose parts may end within an image. f32, N C H W. What lies left of or above the image wraps round to a
// number past its end.

struct Params {
  n: u32, c: u32, h: u32, w: u32,
  o: u32, oh: u32, ow: u32,
  kh: u32, kw: u32,
  stride: u32, padding: u32,
  images_per_part: u32, part_depth: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> image: array<f32>;
@group(0) @binding(2) var<storage, read> d_out: array<f32>;
@group(0) @binding(3) var<storage, read_write> parts: array<f32>;
