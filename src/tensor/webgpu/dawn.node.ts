import { create, globals } from "webgpu";
export async function loadDawn(_: { profile: string }): Promise<GPU> {
  process.env.XDG_RUNTIME_DIR ??= "/tmp";
  Object.assign(globalThis, globals);
  return create([]) as unknown as GPU;
}
export const togglesOf = (_: string): string[] => [];
