// The parameters of all conv2d kernels: input N C H W, weights O C KH KW, output N O OH OW.

struct Params {
  n: u32, c: u32, h: u32, w: u32,
  o: u32, kh: u32, kw: u32, oh: u32, ow: u32,
  stride: u32, padding: u32,
  has_bias: u32, relu: u32,
  // Weight gradient: images that one partial sum covers.
  images_per_part: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
