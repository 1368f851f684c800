/** The longest pause between two looks, in milliseconds. */
const LONGEST_PAUSE = 1;

/** What a pause takes of the time waited so far: an answer is seen later by so much at most. */
const SHARE = 0.01;

const never = new Int32Array(new SharedArrayBuffer(4));

let waits = 0;
/** When the latest wait began or ended. */
let since = 0;
let pausing = false;

/**
 * Waits for an answer of Dawn's without keeping a core busy.
 *
 * While Dawn owes an answer, it looks for it in every turn of Node's event loop, and turns follow one another without a
 * pause. Here each turn sleeps a little, on the main thread, so that the cores are left to the driver: kernels of a
 * software driver compile and run there, and drivers of hardware compile there.
 */
export async function waitForDawn<T>(answer: Promise<T>): Promise<T> {
  waits++;
  since = performance.now();
  if (!pausing) {
    pausing = true;
    nextTurn();
  }
  try {
    return await answer;
  } finally {
    waits--;
    since = performance.now();
  }
}

/** Where nothing else keeps the process running, this does not either. */
function nextTurn(): void {
  setImmediate(pause).unref();
}

function pause(): void {
  pausing = waits > 0;
  if (!pausing) return;
  Atomics.wait(never, 0, 0, Math.min(LONGEST_PAUSE, SHARE * (performance.now() - since)));
  nextTurn();
}
