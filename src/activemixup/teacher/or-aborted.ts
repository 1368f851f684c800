/**
 * What the promise comes to, or a rejection as soon as the signal is aborted: for work that cannot be stopped, whose
 * result nobody waits for then.
 */
export async function orAborted<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return promise;
  const forget = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = () => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { signal: forget.signal });
  });
  try {
    return await Promise.race([aborted, promise]);
  } finally {
    forget.abort();
  }
}
