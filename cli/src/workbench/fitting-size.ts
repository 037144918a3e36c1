import { findPass, type Graph } from "@pare/compiler";
import type { ValueInfo } from "@pare/runtime/format";
import { guessedDims, usualSize } from "./synthetic-samples.js";

/** What is longer is no longer a guess: four seconds of sound at 16 kHz. */
const largestSize = 2 ** 16;

/**
 * The smallest power of two, from the usual size on, that leaves nothing of a model empty when its free dims are taken for
 * it: windows of spectra and wide strides want more than is usual. The usual size where none does, or all is fixed.
 */
export async function fittingSize(graph: Graph, inputs: readonly ValueInfo[]): Promise<number> {
  const dimsAt = (usual: number) =>
    Object.fromEntries(inputs.map((info) => [info.name, guessedDims(info, {}, usual)]));
  if (JSON.stringify(dimsAt(usualSize)) === JSON.stringify(dimsAt(largestSize))) return usualSize;
  const emptyAt = async (usual: number): Promise<number> => {
    const fork = graph.fork();
    const bind = findPass("bind-shapes");
    await bind.create(bind.parse({ shapes: dimsAt(usual) })).run(fork, {});
    return emptyValues(fork);
  };
  try {
    const asUsual = await emptyAt(usualSize);
    if (asUsual === 0) return usualSize;
    const least = await emptyAt(largestSize);
    if (asUsual <= least) return usualSize;
    for (let size = 2 * usualSize; size < largestSize; size *= 2)
      if ((await emptyAt(size)) <= least) return size;
    return largestSize;
  } catch {
    // Whoever binds or runs it next says what is wrong with the model.
    return usualSize;
  }
}

/** Values that have no elements, or fewer: a window is longer than what it looks at. */
function emptyValues(graph: Graph): number {
  let count = 0;
  for (const { type } of graph.allValues())
    if (
      type.kind === "tensor" &&
      type.shape?.some((size) => typeof size === "number" && size <= 0) === true
    )
      count += 1;
  return count;
}
