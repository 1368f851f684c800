declare module "*.wgsl?raw" {
  const source: string;
  export default source;
}

declare module "*.proto?raw" {
  const source: string;
  export default source;
}

declare module "*.child.mjs?raw" {
  const source: string;
  export default source;
}
