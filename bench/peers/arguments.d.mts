export class UsageError extends Error {}
export const help: string;
export function parseArguments(args: readonly string[]): {
  full: boolean;
  set?: "cpu" | "gpu";
  only: string[];
  peers: string[];
  profile: "safe" | "fast";
  wait: "paused" | "plain";
  python: string;
  timeout: number;
  json: boolean;
  help: boolean;
};
