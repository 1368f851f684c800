/** Teachers of each kind: what each needs, packages and Node modules, is loaded when it is opened. */
import type { ExecOptions, ExecTeacher } from "./exec/exec-teacher.node.js";
import type { HttpTeacher } from "./http/http-teacher.js";
import type { HttpTeacherOptions } from "./http/open.js";
import type { ModuleTeacher } from "./module-teacher.node.js";
import type { OnnxTeacher } from "./onnx-teacher.node.js";
import type { TeacherSettings } from "./settings.js";

/** Opens the teacher at an address, here and in a browser: see `openHttpTeacher` of `http/open.ts`. */
export async function openHttpTeacher(address: string, options?: HttpTeacherOptions): Promise<HttpTeacher> {
  const http = await import("./http/open.js");
  return http.openHttpTeacher(address, options);
}

/** Starts a command as a teacher, in Node: see `openExecTeacher` of `exec/exec-teacher.node.ts`. */
export async function openExecTeacher(
  command: string,
  settings?: TeacherSettings,
  options?: ExecOptions,
): Promise<ExecTeacher> {
  const node = await import("./exec/exec-teacher.node.js");
  return node.openExecTeacher(command, settings, options);
}

/** Opens a JavaScript module as a teacher, in Node: see `openModuleTeacher` of `module-teacher.node.ts`. */
export async function openModuleTeacher(path: string, settings?: TeacherSettings): Promise<ModuleTeacher> {
  const node = await import("./module-teacher.node.js");
  return node.openModuleTeacher(path, settings);
}

/** Opens an ONNX model as a teacher, in Node: see `openOnnxTeacher` of `onnx-teacher.node.ts`. */
export async function openOnnxTeacher(path: string, settings?: TeacherSettings): Promise<OnnxTeacher> {
  const node = await import("./onnx-teacher.node.js");
  return node.openOnnxTeacher(path, settings);
}
