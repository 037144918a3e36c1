/** What is under way, and would be lost. */
let held = 0;

/** @returns to be called once, when the process may end again */
export function holdExit(): () => void {
  held += 1;
  return () => void (held -= 1);
}

/** Does work that would be lost if an interrupted process ended in the middle. */
export async function whileExitWaits<T>(work: () => Promise<T>): Promise<T> {
  const release = holdExit();
  try {
    return await work();
  } finally {
    release();
  }
}

/** Has an interrupted process something to save before it ends? Who interrupts it twice does not wait for that. */
export function isExitHeld(): boolean {
  return held > 0;
}
