export interface Subject {
  run(times: number): void | Promise<void>;
  finish?(): Promise<void>;
  check?(): Promise<void>;
  dispose?(): void;
}

export function measure(
  subject: Subject,
): Promise<{ median: number; min: number; max: number; samples: number; runs: number }>;
export function summarise(samples: readonly number[]): { median: number; min: number; max: number; samples: number };
export function inTurn(subjects: readonly Subject[]): Required<Pick<Subject, "run" | "check" | "dispose">> & Subject;
