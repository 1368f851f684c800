// out[b, p] = the blend, in 8 bits, of pixel p of images first[b] and second[b]; p counts the C·H·W pixels of an image.
// `images` [n, size] and `out` [B, size] are packed four pixels a word; an image may begin within a word.
// Grid: linear, one invocation a word of the output.

struct Params { pixels: u32, size: u32, last_image: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> images: array<u32>;
@group(0) @binding(2) var<storage, read> first: array<u32>;
@group(0) @binding(3) var<storage, read> second: array<u32>;
@group(0) @binding(4) var<storage, read> weight: array<u32>;
@group(0) @binding(5) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = (group.y * groups.x + group.x) * WORKGROUP + local;
  if (index >= (params.pixels + 3u) / 4u) { return; }
  var a: vec4u;
  var b: vec4u;
  var weights: vec4u;
  var blend = 4u * index / params.size;
  var p = 4u * index % params.size;
  for (var byte = 0u; byte < min(4u, params.pixels - 4u * index); byte++) {
    a[byte] = pixel_at(min(first[blend], params.last_image) * params.size + p);
    b[byte] = pixel_at(min(second[blend], params.last_image) * params.size + p);
    weights[byte] = weight[blend];
    p++;
    if (p == params.size) { p = 0u; blend++; }
  }
  let bytes = blended(a, b, weights) << BYTE_SHIFTS;
  out[index] = bytes.x | bytes.y | bytes.z | bytes.w;
}
