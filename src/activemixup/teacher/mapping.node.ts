import { createHash } from "node:crypto";
import { canonical } from "./canonical.js";
import type { TeacherSettings } from "./settings.js";

/**
 * What a teacher's name says of the settings by which its answers become probabilities: nothing where there are none.
 * Answers are kept under the name, so those that were read otherwise are not taken for this teacher's.
 * @param byName whether answers may name classes: then the names bear on them too
 */
export function mappingDigest({ answer, classNames }: TeacherSettings, byName: boolean): string {
  const own = Object.values(answer ?? {}).some((setting) => setting !== undefined) ? answer : undefined;
  const told = canonical({ answer: own, classNames: byName ? classNames : undefined });
  return told === "{}" ? "" : ` (${createHash("sha256").update(told).digest("hex").slice(0, 8)})`;
}
