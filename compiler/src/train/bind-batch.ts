import { elementCount, PareError } from "@pare/runtime/format";
import {
  type Dim,
  edit,
  type Graph,
  isStatic,
  type Node,
  Tensor,
  tensorType,
  type ValueId,
} from "../ir/index.js";
import { inferAll } from "../ops/index.js";

/** The dims of one sample, by input; the first is 1, its own place in a batch. */
export type SampleDims = Readonly<Record<string, readonly number[]>>;

/**
 * Gives every input the dims of so many samples along the first axis. Where an exporter wrote the batch of its own
 * example into a Reshape, it becomes this one.
 */
export function bindBatch(graph: Graph, samples: SampleDims, batch: number): void {
  const written = reshapesOfBatch(graph);
  edit(
    graph,
    "bind-batch",
    (editor) => {
      for (const value of graph.allValues()) {
        const { type } = value;
        if (value.producer !== null && type.kind === "tensor")
          editor.setType(value.id, tensorType(type.dtype, undefined));
      }
      for (const id of graph.main.inputs) {
        const { name, type } = graph.value(id);
        const dims = samples[name];
        if (dims === undefined || type.kind !== "tensor") continue;
        editor.setType(id, tensorType(type.dtype, [batch, ...dims.slice(1)]));
      }
      for (const { node, sizes } of written) {
        const shape = Tensor.int64([batch, ...sizes.slice(1)]);
        editor.setInput(node.id, 1, editor.constant("batch_shape", shape));
      }
    },
    { interface: true },
  );
  inferAll(graph);
}

/**
 * The dims of one sample of a value, without the batch.
 * @throws PareError UNSUPPORTED_OP where the value is not one row for each sample of the batch
 */
export function rowDims(graph: Graph, value: ValueId, batch: number): readonly number[] {
  const shape = shapeOf(graph, value);
  if (shape !== undefined && isStatic(shape) && shape[0] === batch) return shape.slice(1);
  const { name } = graph.value(value);
  throw new PareError(
    "UNSUPPORTED_OP",
    `"${name}" does not become one of ${batch} samples: it is [${shape?.join(", ") ?? "?"}].`,
    { where: name, hint: "Export the model with a free batch dim." },
  );
}

/** A Reshape whose first size is the fixed batch of what it reshapes, and stays it. */
function reshapesOfBatch(
  graph: Graph,
): readonly { readonly node: Node; readonly sizes: readonly number[] }[] {
  const ofInputs = behindInputs(graph);
  return graph.order().flatMap((node) => {
    if (node.op !== "Reshape" || node.domain !== "") return [];
    const [data, shape] = node.inputs;
    const sizes = graph.constant(shape)?.numbers();
    const from = data === null || data === undefined ? undefined : shapeOf(graph, data);
    if (sizes === undefined || sizes.length === 0 || from === undefined) return [];
    if (data === null || data === undefined || !ofInputs.has(data)) return [];
    const [first = 0, ...rest] = sizes;
    if (first < 1 || first !== from[0]) return [];
    // Of the same sample: as many elements in each row as before.
    const keeps =
      rest.includes(-1) || (isStatic(from) && elementCount(from.slice(1)) === elementCount(rest));
    return keeps ? [{ node, sizes }] : [];
  });
}

function behindInputs(graph: Graph): ReadonlySet<ValueId> {
  const found = new Set<ValueId>(graph.main.inputs);
  for (const node of graph.order()) {
    if (!node.inputs.some((id) => id !== null && found.has(id))) continue;
    for (const id of node.outputs) if (id !== null) found.add(id);
  }
  return found;
}

function shapeOf(graph: Graph, value: ValueId): readonly Dim[] | undefined {
  const { type } = graph.value(value);
  return type.kind === "tensor" ? type.shape : undefined;
}
