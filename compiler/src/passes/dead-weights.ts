import { throwIfAborted } from "@pare/runtime/format";
import { edit, type Graph, type Node, Tensor, type TensorData, type Value } from "../ir/index.js";
import { operatorOf } from "../ops/index.js";
import { cutUnread } from "../prune/index.js";

/**
 * What decay leaves of channels that died in training. Weights that are smaller than the smallest normal float become 0:
 * they change no result that has a normal number in it, and processors compute with each a hundred times slower than with
 * others. Channels that no weight reads are then taken out.
 */
export async function dropDeadWeights(graph: Graph, signal?: AbortSignal): Promise<void> {
  let hasEmpty = false;
  for (const value of Array.from(graph.allValues())) {
    const { constant } = value;
    if (constant?.dtype !== "float32") continue;
    const reader = readerOfWeight(graph, value);
    if (reader === undefined) continue;
    throwIfAborted(signal);
    const found = await lookedAt(constant);
    hasEmpty ||= found.hasEmptySlice;
    const { subnormals: count } = found;
    if (count === 0) continue;
    const { dims, data } = constant;
    const flushed =
      data === undefined
        ? Tensor.lazy("float32", dims, async () => withoutSubnormals(await constant.read()))
        : Tensor.of("float32", dims, withoutSubnormals(data));
    edit(graph, "flush-subnormals", (editor) => {
      editor.setConstant(value.id, flushed);
      editor.note(reader, `${count} weights that are no normal floats became 0`);
    });
  }
  if (hasEmpty) await cutUnread(graph);
}

const smallestNormal = 2 ** -126;

/** The first node that reads it, where all that do multiply or add with it. */
function readerOfWeight(graph: Graph, { uses, constant }: Value): Node | undefined {
  let first: Node | undefined;
  for (const use of uses) {
    const reader = use.kind === "node" ? graph.node(use.node) : undefined;
    const learned = (reader && operatorOf(reader)?.traits.learned) ?? [];
    const isWeight = learned.some(
      ({ input, as, rank }) =>
        use.index === input &&
        as !== "variance" &&
        (rank ?? constant?.dims.length) === constant?.dims.length,
    );
    if (reader === undefined || !isWeight) return undefined;
    first ??= reader;
  }
  return first;
}

interface Look {
  readonly subnormals: number;
  readonly hasEmptySlice: boolean;
}

/** Tensors do not change, and all that is tried of a model shares them: each is looked at once. */
const looks = new WeakMap<Tensor, Look>();

async function lookedAt(tensor: Tensor): Promise<Look> {
  const known = looks.get(tensor);
  if (known !== undefined) return known;
  const data = await tensor.readFloat32();
  const look = {
    subnormals: subnormals(data),
    hasEmptySlice: [0, 1].some((axis) => hasEmptySlice(data, tensor.dims, axis)),
  };
  looks.set(tensor, look);
  return look;
}

function subnormals({ buffer, byteOffset, length }: Float32Array): number {
  const bits = new Int32Array(buffer, byteOffset, length);
  let count = 0;
  for (let at = 0; at < length; at += 1) {
    const each = bits[at] ?? 0;
    if ((each & 0x7f80_0000) === 0 && (each & 0x007f_ffff) !== 0) count += 1;
  }
  return count;
}

function withoutSubnormals(data: TensorData): TensorData {
  if (!(data instanceof Float32Array)) return data;
  return data.map((x) => (Math.abs(x) < smallestNormal ? 0 : x));
}

/** Is one of the slices of an axis all zeros, or will it be? Most end at their first number. */
function hasEmptySlice(data: Float32Array, dims: readonly number[], axis: number): boolean {
  const size = dims[axis];
  if (dims.length < 2 || size === undefined) return false;
  const inner = dims.slice(axis + 1).reduce((all, each) => all * each, 1);
  const isEmpty = (slice: number): boolean => {
    for (let start = slice * inner; start < data.length; start += size * inner)
      for (let at = start; at < start + inner; at += 1)
        if (!(Math.abs(data[at] ?? 0) < smallestNormal)) return false;
    return true;
  };
  for (let slice = 0; slice < size; slice += 1) if (isEmpty(slice)) return true;
  return false;
}
