import {
  type Executor,
  isPareError,
  onnxArtifact,
  type Tensor,
  type Tensors,
} from "@pare/runtime/format";
import { drawsNumbers } from "../analysis/index.js";
import type { Graph, ValueId } from "../ir/index.js";
import { encodeModel } from "../onnx/index.js";
import type { SampleDims } from "./bind-batch.js";
import { forwardGraph } from "./forward-graph.js";
import { batchFeeds, type Samples } from "./samples.js";

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
      const named = [...inputs].flatMap(([column, input]) => {
        const feed = feeds[column];
        return feed === undefined ? [] : [[input, feed] as const];
      });
      given.push(await session.run(Object.fromEntries(named), signal));
    }
    return given;
  } finally {
    await session.dispose();
  }
}

function isSame(together: readonly Tensors[], alone: readonly Tensors[], name: string): boolean {
  const [both, each] = [together, alone].map((all) => all.flatMap((one) => numbersOf(one[name])));
  if (both === undefined || each === undefined || both.length !== each.length) return false;
  const largest = each.reduce((most, x) => (Math.abs(x) > most ? Math.abs(x) : most), 0);
  return each.every((x, at) => {
    const other = both[at] ?? Number.NaN;
    return Object.is(x, other) || Math.abs(x - other) <= tolerance * largest;
  });
}

function numbersOf(tensor: Tensor | undefined): readonly number[] {
  return tensor?.data instanceof Float32Array ? [...tensor.data] : [];
}
