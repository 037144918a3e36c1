import {
  type Graph,
  type Node,
  Tensor,
  type TensorData,
  type ValueId,
  shapeOf,
} from "../ir/index.js";
import { channelValues, perChannel, rounds } from "./affine.js";
import { absorbable, attributesOf, constantOperand, inputOf } from "./pattern.js";
import type { Miss, Rewrite, Rule } from "./rule.js";

/** A Conv whose weights are constant. */
interface Convolution {
  readonly node: Node;
  readonly weight: Tensor;
  readonly inputs: number;
  /** The input channel that an element of the weight is applied to. */
  readonly channelOf: (element: number) => number;
  readonly pads: boolean;
}

/** A value plus or times a constant, one number per channel or one for all. */
interface Operand {
  readonly of: ValueId;
  readonly constant: Tensor;
}

/**
 * W (x · s + c) = (W s) x + W c, for constants before a Conv. Where the Conv pads, its zeros are of x · s + c, so
 * that c cannot move; then W (x · s + c) = (W s) (x + c / s), which leaves one node of two.
 */
export const foldInputAffine: Rule = {
  name: "fold-input-affine",
  exactness: "rounding",
  ops: ["Conv"],
  match(graph, node) {
    const conv = convolutionOf(graph, node);
    if (conv === undefined) return undefined;
    const input = inputOf(node, 0);
    const sum = operandOf(graph, input, "Add", conv);
    const product = operandOf(graph, sum?.of ?? input, "Mul", conv);
    if (sum === undefined)
      return product === undefined ? undefined : foldScale(graph, conv, product);
    if (!conv.pads) return foldShift(graph, conv, sum);
    return product === undefined ? undefined : swap(graph, conv, sum, product);
  },
};

function foldScale(graph: Graph, conv: Convolution, { of, constant }: Operand): Rewrite | Miss {
  const shared = sharedWeights(graph, conv);
  if (shared !== undefined) return shared;
  return {
    because: "takes the factor before it into its weights",
    needs: [conv.weight, constant],
    rewrite(editor, [weight, factor]) {
      editor.setInput(
        conv.node.id,
        1,
        editor.constant(
          weightName(graph, conv),
          scaled(conv, weight, factor),
          graph.body(conv.node.body),
        ),
      );
      editor.setInput(conv.node.id, 0, of);
    },
  };
}

function foldShift(
  graph: Graph,
  conv: Convolution,
  { of, constant }: Operand,
): Rewrite | undefined {
  const biasId = inputOf(conv.node, 2);
  const bias = graph.constant(biasId);
  if (biasId !== undefined && bias?.dtype !== "float32") return undefined;
  const outputs = conv.weight.dims[0] ?? 0;
  return {
    because: "takes the sum before it into its bias",
    needs: [conv.weight, constant, ...(bias === undefined ? [] : [bias])],
    rewrite(editor, [weight, summand, old]) {
      const elements = floats(weight);
      const shift = channelValues(summand);
      const perOutput = elements.length / outputs;
      const before = old === undefined ? () => 0 : channelValues(old);
      const values = Float32Array.from({ length: outputs }, (_, output) => {
        let total = before(output);
        for (let i = output * perOutput; i < (output + 1) * perOutput; i += 1)
          total += (elements[i] ?? 0) * shift(conv.channelOf(i));
        return total;
      });
      const name =
        biasId === undefined ? `${weightName(graph, conv)}_bias` : graph.value(biasId).name;
      editor.setInput(
        conv.node.id,
        2,
        editor.constant(name, Tensor.float32([outputs], values), graph.body(conv.node.body)),
      );
      editor.setInput(conv.node.id, 0, of);
    },
  };
}

function swap(
  graph: Graph,
  conv: Convolution,
  sum: Operand,
  product: Operand,
): Rewrite | Miss | undefined {
  const shared = sharedWeights(graph, conv);
  if (shared !== undefined) return shared;
  const quotient = divided(sum.constant, product.constant);
  if (quotient === undefined) return undefined;
  return {
    because: "takes the factor before it into its weights, the sum staying",
    needs: [conv.weight, product.constant],
    rewrite(editor, [weight, factor]) {
      const body = graph.body(conv.node.body);
      editor.setInput(
        conv.node.id,
        1,
        editor.constant(weightName(graph, conv), scaled(conv, weight, factor), body),
      );
      editor.setInput(
        conv.node.id,
        0,
        editor.add1("Add", [product.of, editor.constant("shift", quotient, body)], {}, { body }),
      );
    },
  };
}

/** c / s, where both are resident, of shapes that broadcast to one of the two, and no quotient is out of all bounds. */
function divided(sum: Tensor, product: Tensor): Tensor | undefined {
  const [c, s] = [sum.numbers(), product.numbers()];
  if (
    c === undefined ||
    s === undefined ||
    (c.length > 1 && s.length > 1 && sum.dims.join() !== product.dims.join())
  )
    return undefined;
  const larger =
    s.length > c.length || (s.length === c.length && product.dims.length > sum.dims.length)
      ? product
      : sum;
  const values = Float32Array.from(
    { length: larger.count },
    (_, at) => (c[c.length === 1 ? 0 : at] ?? 0) / (s[s.length === 1 ? 0 : at] ?? 1),
  );
  return values.every((value) => Math.abs(value) < 1e6)
    ? Tensor.float32(larger.dims, values)
    : undefined;
}

function scaled(
  conv: Convolution,
  weight: TensorData | undefined,
  factor: TensorData | undefined,
): Tensor {
  const elements = floats(weight);
  const scale = channelValues(factor);
  const values = new Float32Array(elements.length);
  for (let i = 0; i < values.length; i += 1)
    values[i] = (elements[i] ?? 0) * scale(conv.channelOf(i));
  return Tensor.float32(conv.weight.dims, values);
}

function convolutionOf(graph: Graph, node: Node): Convolution | undefined {
  const weight = graph.constant(node.inputs[1]);
  const attributes = attributesOf(node);
  if (weight?.dtype !== "float32") return undefined;
  const [outputs = 0, perGroup = 0] = weight.dims;
  const groups = attributes.int("group", 1);
  const area = perGroup === 0 ? 0 : weight.count / outputs / perGroup;
  const groupSize = outputs / groups;
  const autoPad = attributes.string("auto_pad", "NOTSET");
  return {
    node,
    weight,
    inputs: perGroup * groups,
    channelOf: (i) =>
      Math.floor(Math.floor(i / (area * perGroup)) / groupSize) * perGroup +
      (Math.floor(i / area) % perGroup),
    pads:
      autoPad.startsWith("SAME") || (attributes.ints("pads")?.some((pad) => pad !== 0) ?? false),
  };
}

function operandOf(
  graph: Graph,
  value: ValueId | undefined,
  op: "Add" | "Mul",
  conv: Convolution,
): Operand | undefined {
  const node = absorbable(graph, value, op);
  const operand = node === undefined ? undefined : constantOperand(graph, node);
  if (
    operand === undefined ||
    !perChannel(operand.constant, 1, conv.weight.dims.length, conv.inputs) ||
    (op === "Add" && rounds(operand.constant))
  )
    return undefined;
  // Of one channel, a constant per channel would make many.
  const shape = shapeOf(graph, operand.other);
  if (shape?.length !== conv.weight.dims.length || shape[1] !== conv.inputs) return undefined;
  return { of: operand.other, constant: operand.constant };
}

function sharedWeights(graph: Graph, conv: Convolution): Miss | undefined {
  const id = inputOf(conv.node, 1);
  const readers = id === undefined ? 1 : graph.value(id).uses.length;
  return readers > 1
    ? { miss: `its weights are shared by ${readers} nodes; each would need its own copy` }
    : undefined;
}

function weightName(graph: Graph, conv: Convolution): string {
  const id = inputOf(conv.node, 1);
  return id === undefined ? "weight" : graph.value(id).name;
}

function floats(data: TensorData | undefined): Float32Array {
  return data instanceof Float32Array ? data : new Float32Array();
}
