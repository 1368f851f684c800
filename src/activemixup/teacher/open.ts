/** Teachers of each kind: what each needs, packages and Node modules, is loaded when it is opened. */
import type { ExecOptions, ExecTeacher } from "./exec/exec-teacher.node.js";
import type { HttpTeacher } from "./http/http-teacher.js";
import type { HttpTeacherOptions } from "./http/open.js";
import type { ModuleTeacher } from "./module-teacher.node.js";
import type { OnnxTeacher } from "./onnx-teacher.node.js";
import type { TeacherSettings } from "./settings.js";

/**
 * Opens the teacher at an address, http or https, in Node and in a browser. One that speaks the default protocol is
 * asked what it is, unless the settings tell how many classes it has; that counts as no query.
 * @throws InputError where the address or the settings cannot be meant, a variable that they name is not set, or the
 * teacher does not describe itself; what aborted the signal
 */
export async function openHttpTeacher(address: string, options?: HttpTeacherOptions): Promise<HttpTeacher> {
  const http = await import("./http/open.js");
  return http.openHttpTeacher(address, options);
}

/**
 * Starts a command as a teacher, in Node: it reads frames of images from its stdin and writes answers to its stdout.
 * @param command a line for the shell
 * @throws InputError where it cannot be started, ends or is silent in place of saying hello, or does not fit the
 * settings; on Windows; what aborted the signal
 */
export async function openExecTeacher(
  command: string,
  settings?: TeacherSettings,
  options?: ExecOptions,
): Promise<ExecTeacher> {
  const node = await import("./exec/exec-teacher.node.js");
  return node.openExecTeacher(command, settings, options);
}

/**
 * Opens a JavaScript module as a teacher, in Node: it exports `query(batch, signal)`, which gives one answer an image,
 * and `classes` or `classNames`, unless the settings tell those.
 * @throws InputError where it cannot be read or loaded, does not export what it has to, or does not fit the settings
 */
export async function openModuleTeacher(path: string, settings?: TeacherSettings): Promise<ModuleTeacher> {
  const node = await import("./module-teacher.node.js");
  return node.openModuleTeacher(path, settings);
}

/**
 * Opens an ONNX model of images as a teacher, in Node, run on the CPU by the package `onnxruntime-node`. Its output is
 * taken for logits unless the settings say otherwise.
 * @throws InputError where the package or the file cannot be loaded, or the settings and the model do not fit together
 */
export async function openOnnxTeacher(path: string, settings?: TeacherSettings): Promise<OnnxTeacher> {
  const node = await import("./onnx-teacher.node.js");
  return node.openOnnxTeacher(path, settings);
}
