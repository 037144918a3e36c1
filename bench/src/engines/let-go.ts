/** What is posted to a closed port is gone at once, with the memory that goes along. */
const { port1: nowhere } = new MessageChannel();
nowhere.close();

/**
 * Gives back the memory of arrays that nobody will look at again; they have no elements then. A collector counts small
 * objects and comes late to the memory that they stand for: of the outputs of runs it leaves dozens of megabytes. An
 * array that is a part of something else, or is shared, is left alone.
 */
export function letGo(arrays: Iterable<unknown>): void {
  const whole = new Set<ArrayBuffer>();
  for (const array of arrays) {
    if (!ArrayBuffer.isView(array)) continue;
    const { buffer, byteLength } = array;
    if (buffer instanceof ArrayBuffer && byteLength > 0 && byteLength === buffer.byteLength)
      whole.add(buffer);
  }
  if (whole.size > 0) nowhere.postMessage(null, [...whole]);
}
