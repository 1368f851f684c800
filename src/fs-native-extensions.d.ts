/** The part of the package that is used: it brings no types. */
declare module "fs-native-extensions" {
  /**
   * Locks an open file against every other descriptor, in this process too, until it is closed.
   * @returns whether the lock was granted
   */
  export function tryLock(fd: number): boolean;
}
