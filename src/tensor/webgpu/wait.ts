/** How an answer of the device is waited for: gives what the promise gives, throws what it throws. */
export type Wait = <T>(answer: Promise<T>) => Promise<T>;
