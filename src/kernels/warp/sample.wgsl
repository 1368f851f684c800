// Module: four pixels in a row of a warped image, in whole numbers, so that every device makes the same 8 bits of them.
//   warp_at(row)                     -> what row `row` of `warps` says
//   line_at(warp, y)                 -> what the pixels of output row y have in common
//   taps_at(line, x)                 -> where output pixels (y, x) … (y, x + 3) lie in the source, and between what
//   sampled(images, channel, taps)   -> their values, bilinear, rounded half up, black outside; then times the warp's
//                                       brightness, rounded half up, at most 255
// Positions are in 65536ths of a pixel, shares of bilinear sums in 256ths. Displacements are below 64 pixels.
// Joined behind pixel.wgsl. The kernel binds `warps: array<u32>`; its Params have height, width, words (of a warp), step_y
// and step_x (65536ths of the grid's cell from pixel to pixel). Compiled in: AFFINE_WORDS, GRID_SIDE, which is 5.

struct Warp {
  // What one pixel to the right, and one down, is in the source: x and y.
  right: vec2i, down: vec2i,
  shift: vec2i,
  // Where the displacements begin, if `displaced`.
  grid: u32,
  displaced: bool,
  // Whether every output pixel lies exactly on one of the source.
  whole: bool,
  // Of a pixel's value, in 65536ths: at most 2.
  brightness: u32,
}

struct Line {
  right: vec2i,
  // Of the row: twice what rows add, and what comes behind the halving.
  rows: vec2i, offset: vec2i,
  // The displacement at x = 0, and how much it grows over each of the four cells.
  rise0: vec2i, rise1: vec2i, rise2: vec2i, rise3: vec2i,
  displaced: bool,
  whole: bool,
  brightness: u32,
}

struct Taps {
  // First pixels of the rows, and columns, as far as they lie within the image.
  above: vec4u, below: vec4u, left: vec4u, right: vec4u,
  // Their shares; 0 where a row or column lies outside.
  above_share: vec4u, below_share: vec4u, left_share: vec4u, right_share: vec4u,
  whole: bool,
  brightness: u32,
}

// Two images by their first pixels, blended before they are warped; `one` where the first alone counts.
struct Pair { first: u32, second: u32, weight: u32, one: bool }

fn warp_at(row: u32) -> Warp {
  let start = row * params.words;
  var warp: Warp;
  warp.right = bitcast<vec2i>(vec2u(warps[start], warps[start + 2u]));
  warp.down = bitcast<vec2i>(vec2u(warps[start + 1u], warps[start + 3u]));
  warp.shift = bitcast<vec2i>(vec2u(warps[start + 4u], warps[start + 5u]));
  warp.brightness = warps[start + 7u];
  warp.grid = start + AFFINE_WORDS;
  warp.displaced = params.words > AFFINE_WORDS && warps[start + 6u] != 0u;
  warp.whole = !warp.displaced && abs(warp.right.x) == 65536 && warp.right.y == 0 && warp.down.x == 0 &&
    abs(warp.down.y) == 65536 && ((warp.shift.x | warp.shift.y) & 0xffff) == 0;
  return warp;
}

// The displacement of grid column `column` at a row that is `share` of the way from node row `cell` to the next.
fn displacement_at(warp: Warp, cell: u32, share: i32, column: u32) -> vec2i {
  let place = warp.grid + 2u * (cell * GRID_SIDE + column);
  let above = bitcast<vec2i>(vec2u(warps[place], warps[place + 1u]));
  let below = bitcast<vec2i>(vec2u(warps[place + 2u * GRID_SIDE], warps[place + 2u * GRID_SIDE + 1u]));
  return (above * (256 - share) + below * share) >> vec2u(8u);
}

fn line_at(warp: Warp, y: u32) -> Line {
  var line: Line;
  line.right = warp.right;
  line.rows = warp.down * (2 * i32(y) - (i32(params.height) - 1));
  line.offset = warp.shift + vec2i(i32(params.width) - 1, i32(params.height) - 1) * 32768;
  line.displaced = warp.displaced;
  line.whole = warp.whole;
  line.brightness = warp.brightness;
  if (warp.displaced) {
    let grid_y = y * params.step_y;
    let cell = min(grid_y >> 16u, GRID_SIDE - 2u);
    let share = i32((grid_y >> 8u) - 256u * cell);
    let nodes = array(
      displacement_at(warp, cell, share, 0u), displacement_at(warp, cell, share, 1u),
      displacement_at(warp, cell, share, 2u), displacement_at(warp, cell, share, 3u),
      displacement_at(warp, cell, share, 4u),
    );
    line.offset += nodes[0];
    line.rise0 = nodes[1] - nodes[0];
    line.rise1 = nodes[2] - nodes[1];
    line.rise2 = nodes[3] - nodes[2];
    line.rise3 = nodes[4] - nodes[3];
  }
  return line;
}

// How far, in 256ths, pixels at `grid_x` are into a cell.
fn into(grid_x: vec4i, cell: i32) -> vec4i {
  return clamp(grid_x - vec4i(256 * cell), vec4i(0), vec4i(256));
}

fn within(place: vec4i, length: u32) -> vec4<bool> {
  return bitcast<vec4u>(place) < vec4u(length);
}

fn clamped(place: vec4i, length: u32) -> vec4u {
  return vec4u(clamp(place, vec4i(0), vec4i(i32(length) - 1)));
}

fn taps_at(line: Line, x: u32) -> Taps {
  let columns = vec4i(i32(x)) + vec4i(0, 1, 2, 3);
  let dx = 2 * columns - vec4i(i32(params.width) - 1);
  var right = ((line.right.x * dx + line.rows.x) >> vec4u(1u)) + line.offset.x;
  var down = ((line.right.y * dx + line.rows.y) >> vec4u(1u)) + line.offset.y;
  if (line.displaced) {
    // A straight line over each cell: all cells to the left count in full.
    let grid_x = (columns * i32(params.step_x)) >> vec4u(8u);
    let shares = array(into(grid_x, 0), into(grid_x, 1), into(grid_x, 2), into(grid_x, 3));
    right += (line.rise0.x * shares[0] + line.rise1.x * shares[1] + line.rise2.x * shares[2] +
      line.rise3.x * shares[3]) >> vec4u(8u);
    down += (line.rise0.y * shares[0] + line.rise1.y * shares[1] + line.rise2.y * shares[2] +
      line.rise3.y * shares[3]) >> vec4u(8u);
  }
  right = (right + 128) >> vec4u(8u);
  down = (down + 128) >> vec4u(8u);

  let column = right >> vec4u(8u);
  let row = down >> vec4u(8u);
  let right_share = bitcast<vec4u>(right) & vec4u(255u);
  let below_share = bitcast<vec4u>(down) & vec4u(255u);
  var taps: Taps;
  taps.above = clamped(row, params.height) * params.width;
  taps.below = clamped(row + 1, params.height) * params.width;
  taps.left = clamped(column, params.width);
  taps.right = clamped(column + 1, params.width);
  taps.above_share = select(vec4u(0u), 256u - below_share, within(row, params.height));
  taps.below_share = select(vec4u(0u), below_share, within(row + 1, params.height));
  taps.left_share = select(vec4u(0u), 256u - right_share, within(column, params.width));
  taps.right_share = select(vec4u(0u), right_share, within(column + 1, params.width));
  taps.whole = line.whole;
  taps.brightness = line.brightness;
  return taps;
}

fn pixels_at(places: vec4u) -> vec4u {
  return vec4u(pixel_at(places.x), pixel_at(places.y), pixel_at(places.z), pixel_at(places.w));
}

fn pair_pixels(pair: Pair, places: vec4u) -> vec4u {
  let first = pixels_at(pair.first + places);
  if (pair.one) { return first; }
  return blended(first, pixels_at(pair.second + places), vec4u(pair.weight));
}

// `channel` is the channel's first pixel within an image.
fn sampled(pair: Pair, channel: u32, taps: Taps) -> vec4u {
  return min((bilinear(pair, channel, taps) * taps.brightness + 32768u) >> vec4u(16u), vec4u(255u));
}

fn bilinear(pair: Pair, channel: u32, taps: Taps) -> vec4u {
  let above = taps.above + channel;
  let first = pair_pixels(pair, above + taps.left);
  if (taps.whole) { return select(vec4u(0u), first, (taps.above_share & taps.left_share) != vec4u(0u)); }
  let below = taps.below + channel;
  let top = first * taps.left_share + pair_pixels(pair, above + taps.right) * taps.right_share;
  let bottom = pair_pixels(pair, below + taps.left) * taps.left_share +
    pair_pixels(pair, below + taps.right) * taps.right_share;
  return (top * taps.above_share + bottom * taps.below_share + 32768u) >> vec4u(16u);
}
