// Sum of `value` over the invocations of the workgroup before this one (Hillis and Steele). To be called by all of them.

var<workgroup> scanned: array<u32, WORKGROUP>;

fn sum_before(local: u32, value: u32) -> u32 {
  workgroupBarrier();
  scanned[local] = value;
  for (var distance = 1u; distance < WORKGROUP; distance *= 2u) {
    workgroupBarrier();
    var earlier = 0u;
    if (local >= distance) { earlier = scanned[local - distance]; }
    workgroupBarrier();
    scanned[local] += earlier;
  }
  return scanned[local] - value;
}
