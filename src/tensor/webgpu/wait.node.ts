/** The shortest pause between two looks, in milliseconds: Linux sleeps no less where it is asked to. */
const SHORTEST_PAUSE = 0.05;

const LONGEST_PAUSE = 1;

/** What a pause takes of the time waited so far. An answer is seen later by so much at most, and at once where it is quick. */
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
  const milliseconds = Math.min(LONGEST_PAUSE, SHARE * (performance.now() - since));
  if (milliseconds >= SHORTEST_PAUSE) Atomics.wait(never, 0, 0, milliseconds);
  nextTurn();
}
