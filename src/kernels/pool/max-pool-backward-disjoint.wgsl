// The gradient of max-pool-backward.wgsl for windows that do not overlap (stride from the kernel's size up, no padding):
// each invocation writes a block of STRIDE × STRIDE input pixels, in whose corner the only window lies that concerns
// them.
// Joined behind nan.wgsl and geometry.wgsl; `size` counts blocks here.
// Compiled in: KERNEL_HEIGHT, KERNEL_WIDTH, STRIDE, RELU (what is not above 0 has no gradient).
// Grid: that of run.wgsl, which it stands in front of, over the blocks.

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> out: array<f32>;
@group(0) @binding(3) var<storage, read> d_out: array<f32>;
@group(0) @binding(4) var<storage, read_write> d_x: array<f32>;

fn write_element(index: u32) {
  let block = pixel_of(index, divide(params.height + STRIDE - 1u, STRIDE), divide(params.width + STRIDE - 1u, STRIDE));
  // Blocks at the edges may hold no whole window: their pixels are in none, and their gradient stays 0.
  let has_window = block.row < params.out_height && block.column < params.out_width;
  var maximum = 0.0;
  var gradient = 0.0;
  if (has_window) {
    let place = (block.plane * params.out_height + block.row) * params.out_width + block.column;
    maximum = out[place];
    gradient = select(d_out[place], 0.0, RELU && !(maximum > 0.0));
  }
  var found = false;
  for (var r = 0u; r < STRIDE; r++) {
    let row = block.row * STRIDE + r;
    for (var c = 0u; c < STRIDE; c++) {
      let column = block.column * STRIDE + c;
      if (row < params.height && column < params.width) {
        let pixel = (block.plane * params.height + row) * params.width + column;
        let value = x[pixel];
        let equal = value == maximum || (is_nan(value) && is_nan(maximum));
        let first = !found && equal && r < KERNEL_HEIGHT && c < KERNEL_WIDTH;
        d_x[pixel] = select(0.0, gradient, first);
        found = found || first;
      }
    }
  }
}
