// The correlation of correlation.wgsl for every size, as operands of gemm/tile.wgsl: follows operands.wgsl.

// Of a column's window: row of its image's first pixel, first row and column in the dilated image.
alias Column = vec3u;
// Of a tap: row of the channel's first pixel, ky, kx, address of the weight.
alias Step = vec4u;

const SHARED_STEPS = true;

fn find_column(j: u32) -> Column {
  let area = params.oh * params.ow;
  let top = j % area / params.ow * params.step - params.padding_y;
  let left = j % params.ow * params.step - params.padding_x;
  return vec3u(j / area * params.c * params.h, top, left);
}

fn find_step(k: u32) -> Step {
  let taps = params.kh * params.kw;
  let c = k / taps;
  let tap = k % taps;
  let address = params.weight_first + c * params.weight_c + tap * params.weight_tap;
  return vec4u(c * params.h, tap / params.kw, tap % params.kw, address);
}

fn read_a(row: Row, step: Step) -> f32 { return weight[step.w + row]; }

fn read_b(step: Step, column: Column) -> f32 {
  let place = vec2u(undilated(column.y + step.y), undilated(column.z + step.z));
  if (place.x >= params.h || place.y >= params.w) { return 0.0; }
  return image[(column.x + step.x + place.x) * params.w + place.y];
}
