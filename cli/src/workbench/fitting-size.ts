import { findPass, type Graph } from "@pare/compiler";
import { isPareError, type ValueInfo } from "@pare/runtime/format";
import { guessedDims, usualSize } from "./synthetic-samples.js";

/** What is longer is no longer a guess: four seconds of sound at 16 kHz. */
const largestSize = 2 ** 16;

/**
 * What free dims are taken for so that nothing of a model is empty, and its shapes fit: the usual size; where it does not
 * do, the smallest power of two above, since windows of spectra and wide strides want more; else the largest below at which
 * all fits, since some know few positions. The usual size where none is better, or all is fixed.
 */
export async function fittingSize(graph: Graph, inputs: readonly ValueInfo[]): Promise<number> {
  const dimsAt = (usual: number) =>
    Object.fromEntries(inputs.map((info) => [info.name, guessedDims(info, {}, usual)]));
  if (JSON.stringify(dimsAt(usualSize)) === JSON.stringify(dimsAt(largestSize))) return usualSize;
  /** Null where some node takes no operands of such sizes. */
  const boundAt = async (usual: number): Promise<Graph | null> => {
    const fork = graph.fork();
    const bind = findPass("bind-shapes");
    try {
      await bind.create(bind.parse({ shapes: dimsAt(usual) })).run(fork, {});
    } catch (error) {
      if (isPareError(error) && error.code === "MODEL_SHAPE") return null;
      throw error;
    }
    return fork;
  };
  try {
    const asUsual = await boundAt(usualSize);
    const [unfit, beyond] = [unfitValues(asUsual), readsBeyond(asUsual)];
    if (unfit + beyond === 0) return usualSize;
    // A larger size reads further beyond.
    const least = beyond > 0 ? unfit : unfitValues(await boundAt(largestSize));
    if (least < unfit) {
      for (let size = 2 * usualSize; size < largestSize; size *= 2)
        if (unfitValues(await boundAt(size)) <= least) return size;
      return largestSize;
    }
    // What only a run tells stays unknown at any size: it is no reason for a smaller one.
    const allowed = beyond > 0 ? unfit : 0;
    const fitsAt = async (size: number): Promise<boolean> => {
      const bound = await boundAt(size);
      return unfitValues(bound) <= allowed && readsBeyond(bound) === 0;
    };
    if (!(await fitsAt(1))) return usualSize;
    for (let size = usualSize / 2; size > 1; size /= 2) if (await fitsAt(size)) return size;
    return 1;
  } catch {
    // Whoever binds or runs it next says what is wrong with the model.
    return usualSize;
  }
}

/**
 * Values that have no elements, or fewer: a window is longer than what it looks at. And those whose shape is not known,
 * since those that it is made of do not fit; where only a run tells, it is not known at any size. And pads that a mirror has not as
 * much for.
 */
function unfitValues(graph: Graph | null): number {
  if (graph === null) return Infinity;
  let count = padsBeyond(graph);
  for (const { type } of graph.allValues())
    if (
      type.kind === "tensor" &&
      type.shape?.every((size) => typeof size === "number" && size > 0) !== true
    )
      count += 1;
  return count;
}

/** Pads by what a mirror shows that are as long as what there is. */
function padsBeyond(graph: Graph): number {
  let count = 0;
  for (const { op, domain, inputs, attributes } of graph.allNodes()) {
    const [x, pads] = inputs.map((id) => (id === null ? undefined : graph.value(id)));
    const mode = attributes.get("mode");
    if (op !== "Pad" || domain !== "" || mode?.type !== "string" || mode.value !== "reflect")
      continue;
    const shape = x?.type.kind === "tensor" ? x.type.shape : undefined;
    if (shape === undefined || inputs[3]) continue;
    const isBeyond = pads?.elements?.some((pad, at) => {
      const size = shape[at % shape.length];
      return typeof pad === "number" && typeof size === "number" && pad >= size;
    });
    if (isBeyond === true) count += 1;
  }
  return count;
}

/** Rows that are looked up where a table has none: of positions that a model did not learn. */
function readsBeyond(graph: Graph | null): number {
  let count = 0;
  if (graph === null) return count;
  for (const { op, domain, inputs, attributes } of graph.allNodes()) {
    const [table, rows] = inputs.map((id) => (id === null ? undefined : graph.value(id)));
    if (op !== "Gather" || domain !== "" || table?.type.kind !== "tensor") continue;
    const size = table.type.shape?.at(Number(attributes.get("axis")?.value ?? 0));
    if (typeof size !== "number") continue;
    if (rows?.elements?.some((at) => typeof at === "number" && at >= size) === true) count += 1;
  }
  return count;
}
