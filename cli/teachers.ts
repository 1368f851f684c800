import { createHash } from "node:crypto";
import { basename } from "node:path";
import {
  NetworkTeacher,
  openExecTeacher,
  openHttpTeacher,
  openModuleTeacher,
  openOnnxTeacher,
  type Teacher,
  type TeacherSettings,
} from "../src/activemixup/index.js";
import { refuseUnheeded } from "../src/activemixup/teacher/reading.js";
import { readLabels, readTeacherSettings } from "../src/activemixup/teacher/settings-file.node.js";
import { InputError } from "../src/errors.js";
import { decodeNetwork } from "../src/nn/index.js";
import type { Device } from "../src/tensor/index.js";
import { readWhole } from "./files.js";

/**
 * The settings of each teacher: of its own file, or of the one for all, with the class names of `--labels`.
 * @param files of `--teacher-config`
 * @throws InputError where there are other than one file, or one a teacher; where a file is not as it should be
 */
export async function readSettings(
  teachers: readonly string[],
  files: readonly string[] = [],
  labels?: string,
): Promise<TeacherSettings[]> {
  if (files.length > 1 && files.length !== teachers.length) {
    throw new InputError(
      `--teacher-config is given ${files.length} times and --teacher ${teachers.length} times; ` +
        `give one for all, or one for each in the same order`,
    );
  }
  const classNames = labels === undefined ? undefined : await readLabels(labels);
  const settings: TeacherSettings[] = [];
  for (const index of teachers.keys()) {
    const file = files[index] ?? files.at(-1);
    const own = file === undefined ? {} : await readTeacherSettings(file);
    if (classNames && own.classNames) {
      throw new InputError(`${file} has classNames and --labels is given too; leave one of the two out`);
    }
    settings.push(classNames ? { ...own, classNames } : own);
  }
  return settings;
}

/** What a teacher may need to be opened. */
export interface TeacherSurroundings {
  readonly device: Device;
  /** The settings file's name, for errors. */
  readonly file?: string | undefined;
  /** Hears what commands write to their standard error, line by line. */
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Opens the teacher that `--teacher` names.
 * @throws InputError where it is none of the known kinds, or cannot be opened
 */
export async function openTeacher(
  where: string,
  settings: TeacherSettings,
  { device, file, onLine, signal }: TeacherSurroundings,
): Promise<Teacher> {
  if (/^https?:/i.test(where)) {
    return openHttpTeacher(where, { settings, file, environment: process.env, signal });
  }
  const [, kind, rest] = /^([a-z]+):(.+)$/s.exec(where) ?? [];
  if (kind === "exec") return openExecTeacher(rest.trim(), settings, { log: onLine, signal });
  if (kind === "module") return openModuleTeacher(rest, settings);
  if (kind === "onnx") return openOnnxTeacher(rest, settings);
  if (where.endsWith(".safetensors")) return openNetworkTeacher(device, where, settings);
  // What stands behind :// may hold a password.
  const shown = where.includes("://") ? where.replace(/:\/\/.*/s, "://…") : where;
  throw new InputError(
    `--teacher ${shown} is no teacher; expected FILE.safetensors, http(s)://…, exec:COMMAND, module:FILE or onnx:FILE`,
  );
}

async function openNetworkTeacher(device: Device, path: string, settings: TeacherSettings): Promise<Teacher> {
  refuseUnheeded(`--teacher ${path}`, settings, ["asking", "answer", "http", "onnx"]);
  const bytes = await readWhole("--teacher", path);
  const network = decodeNetwork(bytes, path, device);
  const { classes } = network.spec;
  if (settings.classes !== undefined && settings.classes !== classes) {
    throw new InputError(
      `--teacher ${path} has ${classes} classes, its settings say ${settings.classes}; make the two agree`,
    );
  }
  const digest = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  return NetworkTeacher.create(network, settings.name ?? `${basename(path)} sha256:${digest}`, settings.classNames);
}
