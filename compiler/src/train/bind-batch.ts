import { elementCount, PareError } from "@pare/runtime/format";
import {
  edit,
  type Graph,
  isStatic,
  type Node,
  Tensor,
  tensorType,
  type ValueId,
  shapeOf,
} from "../ir/index.js";
import { inferAll } from "../ops/index.js";

/** The dims of one sample, by input; the first is 1, its own place in a batch, where samples are put together. */
export type SampleDims = Readonly<Record<string, readonly number[]>>;

/**
 * Gives every input the dims of so many samples along the first axis, or of one as it is. Where an exporter wrote the batch
 * of its own example into a Reshape, it becomes this one: by itself, or as a factor of the first size. Whether samples are
 * still apart then shows in a run (`takesBatches`).
 */
export function bindBatch(graph: Graph, samples: SampleDims, batch: number): void {
  const declared = declaredBatch(graph);
  const [first = batch] = Object.values(samples).map((dims) => dimsOf(dims, batch)[0]);
  const written =
    declared === undefined || declared === first ? [] : reshapesOfBatch(graph, declared, first);
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
        editor.setType(id, tensorType(type.dtype, dimsOf(dims, batch)));
      }
      for (const { node, sizes } of written)
        editor.setInput(node.id, 1, editor.constant("batch_shape", Tensor.int64(sizes)));
    },
    { interface: true },
  );
  inferAll(graph);
}

/** Of so many samples along the first axis; of one, its own. */
export function dimsOf(sample: readonly number[], batch: number): readonly number[] {
  return batch === 1 ? sample : [batch, ...sample.slice(1)];
}

/**
 * The dims of one sample of a value, without the batch. Of one sample all that there is, is its own.
 * @throws PareError UNSUPPORTED_OP where the value is not one row for each sample of the batch
 */
export function rowDims(graph: Graph, value: ValueId, batch: number): readonly number[] {
  const shape = shapeOf(graph, value);
  if (shape !== undefined && isStatic(shape)) {
    if (shape[0] === batch) return shape.slice(1);
    if (batch === 1) return shape;
  }
  const { name } = graph.value(value);
  const is = `it is [${shape?.join(", ") ?? "?"}]`;
  throw batch === 1
    ? new PareError("UNSUPPORTED_OP", `How large "${name}" is, is not known: ${is}.`, {
        where: name,
        hint: "Give every free dim a size with --shape or --dim. Where only a run tells, as behind a NonMaxSuppression, name values before it that are to become as the teacher's: --signal scores=mse.",
      })
    : new PareError("UNSUPPORTED_OP", `"${name}" does not become one of ${batch} samples: ${is}.`, {
        where: name,
        hint: "Export the model with a free batch dim.",
      });
}

interface WrittenBatch {
  readonly node: Node;
  readonly sizes: readonly number[];
}

/**
 * Reshapes whose first size is the fixed batch of what they reshape, or holds it as a factor, with the sizes that they have
 * for another batch.
 */
function reshapesOfBatch(graph: Graph, declared: number, batch: number): readonly WrittenBatch[] {
  const ofInputs = behindInputs(graph);
  return graph.order().flatMap((node) => {
    if (node.op !== "Reshape" || node.domain !== "") return [];
    const [data, shape] = node.inputs;
    const sizes = graph.constant(shape)?.numbers();
    if (sizes === undefined || data === null || data === undefined) return [];
    const { type } = graph.value(data);
    const from = type.kind === "tensor" ? type.shape : undefined;
    if (from === undefined || !ofInputs.has(data)) return [];
    const [first = 0, ...rest] = sizes;
    if (first < 1 || first % declared !== 0) return [];
    // Of the same sample: as many elements in each row as before.
    const keeps = first === declared && from[0] === first && rest.includes(-1);
    const isWhole =
      isStatic(from) &&
      elementCount(from) === elementCount(sizes) &&
      (first === from[0] || (type.kind === "tensor" && type.dtype === "float32"));
    return keeps || isWhole ? [{ node, sizes: [(first / declared) * batch, ...rest] }] : [];
  });
}

/** The first size of all inputs, where a file says one. */
function declaredBatch(graph: Graph): number | undefined {
  const firsts = new Set(graph.main.inputs.map((id) => shapeOf(graph, id)?.[0]));
  const [first] = firsts;
  return firsts.size === 1 && typeof first === "number" && first > 0 ? first : undefined;
}

function behindInputs(graph: Graph): ReadonlySet<ValueId> {
  const found = new Set<ValueId>(graph.main.inputs);
  for (const node of graph.order()) {
    if (!node.inputs.some((id) => id !== null && found.has(id))) continue;
    for (const id of node.outputs) if (id !== null) found.add(id);
  }
  return found;
}
