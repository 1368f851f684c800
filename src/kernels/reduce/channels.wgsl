// Walks over the channels of x [N, C, P]. Each channel's N · P elements, sample by sample, are dealt out to `chunks`
// invocations: chunk k takes elements k, k + chunks, k + 2 · chunks, …, so that invocations side by side read
// addresses side by side.
//   channel_of(index), chunk_of(index) -> which part is that invocation's
//   walk_start(chunk), walk_next(walk) -> where it stands in a channel, without divisions on the way
//   walk_offset(walk, channel)         -> the element's place in memory
// It stands in front of a kernel whose Params begin with six u32:
//   count                        elements of one channel, N · P
//   channels, positions, chunks  C, P, and the number of chunks a channel
//   step_samples, step_positions from one element of a chunk to the next: chunks = step_samples · P + step_positions

struct Walk {
  sample: u32,
  position: u32,
}

// With one position a channel's elements lie C apart: then it is the channels that are taken side by side.
fn channel_of(index: u32) -> u32 {
  if (params.positions == 1u) { return index % params.channels; }
  return index / params.chunks;
}

fn chunk_of(index: u32) -> u32 {
  if (params.positions == 1u) { return index / params.channels; }
  return index % params.chunks;
}

fn walk_start(chunk: u32) -> Walk {
  return Walk(chunk / params.positions, chunk % params.positions);
}

fn walk_next(walk: Walk) -> Walk {
  var next = Walk(walk.sample + params.step_samples, walk.position + params.step_positions);
  if (next.position >= params.positions) {
    next.position -= params.positions;
    next.sample += 1u;
  }
  return next;
}

fn walk_offset(walk: Walk, channel: u32) -> u32 {
  return (walk.sample * params.channels + channel) * params.positions + walk.position;
}
