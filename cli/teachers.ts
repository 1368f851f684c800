import { createHash } from "node:crypto";
import { basename } from "node:path";
import { NetworkTeacher, type Teacher, type TeacherSettings } from "../src/activemixup/index.js";
import { InputError } from "../src/errors.js";
import { decodeNetwork } from "../src/nn/index.js";
import type { Device } from "../src/tensor/index.js";
import { readWhole } from "./files.js";

/** The settings of each teacher: of its own file, of the one for all, or none. */
export async function readTeacherSettings(
  teachers: readonly string[],
  _files: readonly string[] = [],
  _labels?: string,
): Promise<TeacherSettings[]> {
  return Promise.resolve(teachers.map(() => ({})));
}

/** Opens the teacher that `--teacher` names. */
export async function openTeacher(
  device: Device,
  where: string,
  settings: TeacherSettings,
  _onStderr: (line: string) => void,
): Promise<Teacher> {
  if (!where.endsWith(".safetensors")) throw new InputError(`--teacher ${where}`);
  return openNetworkTeacher(device, where, settings);
}

async function openNetworkTeacher(device: Device, path: string, { name }: TeacherSettings): Promise<Teacher> {
  const bytes = await readWhole("--teacher", path);
  const network = decodeNetwork(bytes, path, device);
  const digest = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  return NetworkTeacher.create(network, name ?? `${basename(path)} sha256:${digest}`);
}
