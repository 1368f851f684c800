/**
 * The errors of the project. Each has a stable `code`; each message names the file, option or tensor, what was found,
 * what was expected and the cure.
 */

/** Base of every error that the project throws on purpose. */
export class ActiveMixupError extends Error {
  constructor(
    /** Stable, machine-readable: for example `shape`, `input`. */
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = new.target.name;
  }
}

/** Shapes that an operation cannot take. */
export class ShapeError extends ActiveMixupError {
  constructor(message: string) {
    super("shape", message);
  }
}

/** A tensor of an element type that an operation cannot take. */
export class DTypeError extends ActiveMixupError {
  constructor(message: string) {
    super("dtype", message);
  }
}

/** Use of a tensor, recording or device after its `dispose()` or `destroy()`. */
export class DisposedError extends ActiveMixupError {
  constructor(message: string) {
    super("disposed", message);
  }
}

/** The device is missing, was lost, or refused a command. */
export class DeviceError extends ActiveMixupError {
  constructor(message: string) {
    super("device", message);
  }
}

/** A mistake in what the user gave: a file, an option, a data set. The command prints its message and exits with 2. */
export class InputError extends ActiveMixupError {
  constructor(message: string) {
    super("input", message);
  }
}
