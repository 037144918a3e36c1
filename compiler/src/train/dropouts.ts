import { elementCount, PareError, type Tensors } from "@pare/runtime/format";
import {
  attribute,
  codeOfDtype,
  type Editor,
  type Graph,
  isStatic,
  type Node,
  Tensor,
  tensorType,
} from "../ir/index.js";

/** A dropout in a training graph. The factors on its data are fed: so every engine drops the same. */
export interface Dropout {
  /** The input that holds the factors. */
  readonly input: string;
  readonly dims: readonly number[];
  /** The share that is dropped, 0 to below 1. */
  readonly ratio: number;
}

/** Of an operator that does not say. */
const defaultRatio = 0.5;

export function isDropout({ op, domain }: Node): boolean {
  return op === "Dropout" && domain === "";
}

/** A Dropout as it is in inference: its data pass, whatever the exporter's mode was. */
export function dropNothing(editor: Editor, graph: Graph, node: Node): void {
  const [x, mask] = [node.inputs[0], node.outputs[1] ?? null];
  if (mask !== null && graph.value(mask).uses.length > 0 && x !== null && x !== undefined) {
    // Whatever its data are, they are kept.
    const shape = editor.add1("Shape", [x]);
    const value = attribute.tensor(Tensor.of("bool", [1], Uint8Array.of(1)));
    const kept = editor.add1("ConstantOfShape", [shape], { value });
    editor.replace(mask, kept, "nothing is dropped in inference");
  }
  becomes(editor, node, "Identity");
}

/**
 * A Dropout as it is in training: data times factors that are fed, 0 or 1 / (1 − ratio). Of a ratio of 0 nothing is left.
 * @param index among the graph's dropouts: part of the input's name
 * @throws PareError UNSUPPORTED_OP where the ratio is no constant, MODEL_INVALID where it is no share, MODEL_SHAPE
 */
export function dropByFactors(
  editor: Editor,
  graph: Graph,
  node: Node,
  index: number,
): Dropout | null {
  const ratio = ratioOf(graph, node);
  if (ratio === 0) {
    dropNothing(editor, graph, node);
    return null;
  }
  const data = node.inputs[0] ?? null;
  const type = data === null ? undefined : graph.value(data).type;
  const dims = type?.kind === "tensor" ? type.shape : undefined;
  if (type?.kind !== "tensor" || dims === undefined || !isStatic(dims)) {
    throw new PareError("MODEL_SHAPE", `The shape of what ${node.op} drops from is not known.`, {
      where: graph.nodeLabel(node),
      hint: "Give every free dim of the model's inputs a size.",
    });
  }
  const input = `dropout_${index}`;
  const fed = editor.addInput(input, tensorType("float32", dims));
  const { dtype = "float32" } = type;
  const factors =
    dtype === "float32"
      ? fed
      : editor.add1("Cast", [fed], { to: attribute.int(codeOfDtype(dtype)) });
  const mask = node.outputs[1] ?? null;
  if (mask !== null && graph.value(mask).uses.length > 0) {
    const kept = editor.add1("Cast", [fed], { to: attribute.int(codeOfDtype("bool")) });
    editor.replace(mask, kept, "what is kept is fed");
  }
  becomes(editor, node, "Mul");
  editor.setInput(node.id, 1, factors);
  return { input, dims, ratio };
}

function ratioOf(graph: Graph, node: Node): number {
  const given = node.inputs[1] ?? null;
  const ratio = given === null ? defaultRatio : graph.constant(given)?.numbers()?.[0];
  if (ratio === undefined) {
    throw new PareError("UNSUPPORTED_OP", "A Dropout's ratio is not known before it runs.", {
      where: graph.nodeLabel(node),
      hint: "Export the model with a constant ratio, or train with dropout: skip.",
    });
  }
  if (ratio >= 0 && ratio < 1) return ratio;
  throw new PareError("MODEL_INVALID", `A Dropout's ratio is ${ratio}, which is no share.`, {
    where: graph.nodeLabel(node),
    hint: "It must be from 0 to below 1.",
  });
}

function becomes(editor: Editor, node: Node, op: string): void {
  for (const name of node.attributes.keys()) editor.setAttribute(node.id, name, undefined);
  editor.trimInputs(node.id, 1);
  if ((node.outputs[1] ?? null) !== null) editor.dropOutput(node.id, 1);
  editor.setOp(node.id, op);
}

/**
 * The factors of one step.
 * @param random uniform numbers by name
 * @param steps that were done: with the dropout's place, what is drawn depends on nothing else
 * @param from where these samples begin in their batch, counted in their own number: shares of a batch together drop what
 * the whole does, where a tensor's first axis is the batch
 */
export function dropoutFeeds(
  dropouts: readonly Dropout[],
  random: (name: string) => () => number,
  steps: number,
  from = 0,
): Tensors {
  return Object.fromEntries(
    dropouts.map(({ input, dims, ratio }, index) => {
      const data = new Float32Array(elementCount(dims));
      const seed = Math.floor(random(`dropout ${steps} ${index}`)() * 2 ** 32);
      drawFactors(data, ratio, seed, Math.round(from * data.length));
      return [input, { type: "float32" as const, dims, data }];
    }),
  );
}

/** splitmix32 of each element's place: a part of a tensor can be drawn without the rest. */
function drawFactors(into: Float32Array, ratio: number, seed: number, first: number): void {
  const [limit, kept] = [ratio * 2 ** 32, 1 / (1 - ratio)];
  let state = (seed + Math.imul(first, 0x9e3779b9)) | 0;
  for (let at = 0; at < into.length; at += 1) {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    into[at] = (mixed ^ (mixed >>> 15)) >>> 0 < limit ? 0 : kept;
  }
}
