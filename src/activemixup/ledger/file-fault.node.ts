/** What the file system refused, in short: `ENOSPC: no space left on device`. */
export function fileFault(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  // Node's messages end with the call and the path: "ENOSPC: no space left on device, write".
  return code === undefined ? message : message.startsWith(`${code}: `) ? message.split(",")[0] : code;
}
