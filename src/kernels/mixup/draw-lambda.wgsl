// Index of the one λ of a grid at which a candidate is blended where only one blend a pair is scored: bit for bit the
// function `drawLambda` of draws.ts. Joined after philox.wgsl.
fn draw_lambda(candidate: u32, seed: u32, lambdas: u32) -> u32 {
  return philox(vec4u(candidate, 0u, LAMBDA_STREAM, 0u), vec2u(seed, 0u)).x % lambdas;
}
