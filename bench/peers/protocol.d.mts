/** A timing in seconds, or why there is none. */
export type Result = { median: number; min: number; max: number } | { cannot: string };

export interface Answer {
  about?: { engine: string; versions: Record<string, string>; device?: object };
  missing?: string;
  cannot?: string;
  results: Map<string, Result>;
}

export function parseOutput(output: string): Answer;
export function describeEnding(ending: {
  code: number | null;
  signal: string | null;
  timedOut: boolean;
  timeout: number;
  stderr: string;
}): string;
export function ask(
  engine: { command: readonly string[] },
  workloads: readonly string[],
  options: { timeout: number },
): Promise<Answer & { ending: string }>;
