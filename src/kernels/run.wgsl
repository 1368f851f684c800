// The entry point of elementwise kernels. Joined behind a kernel whose Params begin with `size: u32`, and that declares
// write_element(index), which is called once for each index below params.size.
// Compiled in: RUN, the elements that an invocation writes, 64 apart.
// Grid: linear over the elements, 64 · RUN to a workgroup.

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let first = (group.y * groups.x + group.x) * 64u * RUN + local.x;
  for (var index = first; index < min(first + 64u * RUN, params.size); index += 64u) { write_element(index); }
}
