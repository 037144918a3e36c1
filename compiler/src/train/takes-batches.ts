import { type Executor, isPareError, onnxArtifact, type Tensors } from "@pare/runtime/format";
import { drawsNumbers } from "../analysis/index.js";
import type { Graph, ValueId } from "../ir/index.js";
import { encodeModel } from "../onnx/index.js";
import type { SampleDims } from "./bind-batch.js";
import { forwardGraph } from "./forward-graph.js";
import { batchFeeds, namedFeeds, type Samples } from "./samples.js";

interface Asked {
  /** In normal form. */
  readonly graph: Graph;
  /** Its inputs, by the names of the samples' columns. */
  readonly inputs: ReadonlyMap<string, string>;
  /** What is looked at. */
  readonly values: readonly ValueId[];
  readonly samples: Samples;
  readonly executor: Executor;
  readonly signal?: AbortSignal | undefined;
}

/** Of a value's largest number: what another order of sums may make of it where something is rounded on the way. */
const tolerance = 1e-2;

/**
 * Does a model say of two samples together what it says of each alone? Exporters write the batch of their example, 1, into
 * graphs, and where it is a size among others, two samples do not fit, or run into each other: by shapes alone nobody would
 * see it.
 */
export async function takesBatches(asked: Asked): Promise<boolean> {
  const { graph, inputs, values, samples, signal } = asked;
  if (Object.values(samples.dims).some(([first]) => first !== 1)) return false;
  const dims: SampleDims = Object.fromEntries(
    [...inputs].map(([column, input]) => [input, samples.dims[column] ?? []]),
  );
  const both = forwardGraph(graph, dims, 2, values);
  const areRows = both.main.outputs.every((id) => {
    const { type } = both.value(id);
    return type.kind === "tensor" && type.shape?.[0] === 2;
  });
  if (!areRows || samples.count < 2 || drawsNumbers(graph)) return areRows;
  try {
    const together = await answer(both, asked, [0]);
    const alone = await answer(forwardGraph(graph, dims, 1, values), asked, [0, 1]);
    return values.every((_, index) => isSame(together, alone, `output_${index}`));
  } catch (error) {
    if (signal?.aborted === true || (isPareError(error) && error.code === "ABORTED")) throw error;
    return false;
  }
}

/** What it gives for the samples from each of these places on. */
async function answer(
  graph: Graph,
  { inputs, samples, executor, signal }: Asked,
  starts: readonly number[],
): Promise<readonly Tensors[]> {
  const { proto } = await encodeModel(graph);
  const session = await executor.load(onnxArtifact(proto, { spinning: false }), { signal });
  try {
    const given: Tensors[] = [];
    for (const start of starts) {
      const feeds = batchFeeds(samples, [0, 1], start, 2 / starts.length);
      given.push(await session.run(namedFeeds(feeds, inputs), signal));
    }
    return given;
  } finally {
    await session.dispose();
  }
}

/** Of what is no float, nothing is looked at. */
function isSame([both]: readonly Tensors[], alone: readonly Tensors[], name: string): boolean {
  const together = both?.[name]?.data;
  if (!(together instanceof Float32Array)) return true;
  let at = 0;
  let [largest, apart] = [0, 0];
  for (const one of alone) {
    const own = one[name]?.data;
    if (!(own instanceof Float32Array)) return false;
    for (const x of own) {
      const other = together[at] ?? Number.NaN;
      at += 1;
      if (Number.isFinite(x)) largest = Math.max(largest, Math.abs(x));
      if (!Object.is(x, other)) apart = Math.max(apart, Math.abs(x - other));
    }
  }
  return at === together.length && apart <= tolerance * largest;
}
