import { DeviceError } from "../../errors.js";

/**
 * Runs `body`, which must not wait, and throws what WebGPU finds wrong with its calls: without this their errors would
 * only reach the device's listener, too late to tell which call was at fault.
 * @throws DeviceError with WebGPU's message.
 */
export async function withErrorScope<T>(device: GPUDevice, body: () => T): Promise<T> {
  device.pushErrorScope("validation");
  let error: Promise<GPUError | null>;
  let result: T;
  try {
    result = body();
  } finally {
    error = device.popErrorScope();
  }
  const found = await error;
  if (found) throw new DeviceError(found.message);
  return result;
}

/** What an error of the device says, with the cure where its memory is at an end. */
export function describeError({ constructor, message }: GPUError): string {
  const outOfMemory = constructor.name === "GPUOutOfMemoryError" || /out.of.(\w+.)?memory/i.test(message);
  return outOfMemory ? `${message}: use a smaller batch or fewer images, on a device that is opened anew` : message;
}
