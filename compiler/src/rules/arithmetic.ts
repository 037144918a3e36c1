import {
  attribute,
  codeOfDtype,
  dtypeOfCode,
  type Graph,
  type Node,
  Tensor,
  type ValueId,
  shapeOf,
} from "../ir/index.js";
import { normalAxis } from "../ops/families/indexing.js";
import {
  absorbable,
  attributesOf,
  constantOperand,
  dtypeOf,
  hasOneReader,
  inputOf,
  madeBy,
  outputOf,
  scalarOf,
  shapesAgree,
} from "./pattern.js";
import { replacing, type Rewrite, type Rule } from "./rule.js";

/** x / 2ⁿ = x · 2⁻ⁿ, exactly. */
const divideByPowerOfTwo: Rule = {
  name: "divide-by-power-of-two",
  exactness: "bitwise",
  ops: ["Div"],
  match(graph, node) {
    const divisor = inputOf(node, 1);
    const value = scalarOf(graph, divisor);
    const output = outputOf(node);
    const tensor = graph.constant(divisor);
    if (
      value === undefined ||
      value === 0 ||
      output === undefined ||
      tensor?.dtype !== "float32" ||
      !Number.isInteger(Math.log2(Math.abs(value)))
    )
      return undefined;
    const reciprocal = 1 / value;
    if (Math.abs(Math.log2(Math.abs(value))) > 100 || node.inputs[0] === null) return undefined;
    return replacing(output, `dividing by ${value} is multiplying by ${reciprocal}`, (editor) => {
      const body = graph.body(node.body);
      const factor = editor.constant(
        `${graph.value(divisor ?? output).name}_reciprocal`,
        Tensor.float32(tensor.dims, [reciprocal]),
        body,
      );
      return editor.add1("Mul", [node.inputs[0] ?? null, factor], {}, { body });
    });
  },
};

/** Where a sum is so much less than its terms, they were there to round what they are added to. */
const leastShare = 2 ** -10;

/** Smaller ones have fewer digits, and then none. */
const leastFactor = 2 ** -126;

/**
 * (x · a) · b = x · (a b) and (x + a) + b = x + (a + b), for single numbers a and b: but for a sum that rounds x, and a product
 * that is nothing or no number where neither factor is.
 */
const mergeScalars: Rule = {
  name: "merge-scalars",
  exactness: "rounding",
  ops: ["Mul", "Add"],
  match(graph, node) {
    const outer = constantOperand(graph, node);
    const before = absorbable(graph, outer?.other, node.op);
    const inner = before === undefined ? undefined : constantOperand(graph, before);
    const [a, b] = [scalarOf(graph, inner?.id), scalarOf(graph, outer?.id)];
    if (
      outer === undefined ||
      inner === undefined ||
      a === undefined ||
      b === undefined ||
      outer.constant.dtype !== "float32"
    )
      return undefined;
    const value = Math.fround(node.op === "Mul" ? a * b : a + b);
    const isLost =
      node.op === "Mul"
        ? a !== 0 && b !== 0 && Math.abs(value) < leastFactor
        : Math.abs(value) < leastShare * Math.max(Math.abs(a), Math.abs(b));
    const dims =
      inner.constant.dims.length > outer.constant.dims.length
        ? inner.constant.dims
        : outer.constant.dims;
    if (isLost || !Number.isFinite(value)) return undefined;
    return {
      because: `merged with the ${node.op} before it`,
      rewrite(editor) {
        const constant = editor.constant(
          graph.value(outer.id).name,
          Tensor.float32(dims, [value]),
          graph.body(node.body),
        );
        editor.setInput(node.id, outer.at, constant);
        editor.setInput(node.id, 1 - outer.at, inner.other);
      },
    };
  },
};

/** Every value of the first type is one of the second. */
const widenings: Readonly<Record<string, readonly string[]>> = {
  bool: [
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float16",
    "float32",
    "float64",
  ],
  uint8: ["int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64"],
  int8: ["int16", "int32", "int64", "float16", "float32", "float64"],
  uint16: ["int32", "uint32", "int64", "uint64", "float32", "float64"],
  int16: ["int32", "int64", "float32", "float64"],
  uint32: ["int64", "uint64", "float64"],
  int32: ["int64", "float64"],
  float16: ["float32", "float64"],
  float32: ["float64"],
};

/** Cast<B>(Cast<A>(x)) = Cast<B>(x) when A holds every value of x's type. */
const mergeCasts: Rule = {
  name: "merge-casts",
  exactness: "bitwise",
  ops: ["Cast"],
  match(graph, node) {
    const before = madeBy(graph, inputOf(node, 0), "Cast");
    const source = before === undefined ? undefined : inputOf(before, 0);
    const from = dtypeOf(graph, source);
    const through = before === undefined ? undefined : dtypeOfCode(attributesOf(before).int("to"));
    if (source === undefined || from === undefined || through === undefined) return undefined;
    if (from !== through && !widenings[from]?.includes(through)) return undefined;
    // A text of the wider type has more digits.
    if (from !== through && attributesOf(node).int("to") === codeOfDtype("string"))
      return undefined;
    return {
      because: "merged with the Cast before it",
      rewrite: (editor) => editor.setInput(node.id, 0, source),
    };
  },
};

/** Concat(Concat(a, b), c) = Concat(a, b, c) along one axis: the outermost takes all that is nested, at once. */
const mergeConcats: Rule = {
  name: "merge-concats",
  exactness: "bitwise",
  ops: ["Concat"],
  match(graph, node) {
    const output = outputOf(node);
    const axis = axisOf(node);
    if (output === undefined || isNestedConcat(graph, output, axis)) return undefined;
    const inputs: (ValueId | null)[] = [];
    const open = [...node.inputs].reverse();
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      const inner = absorbable(graph, id ?? undefined, "Concat");
      if (inner === undefined || axisOf(inner) !== axis) inputs.push(id);
      else for (const input of [...inner.inputs].reverse()) open.push(input);
    }
    if (inputs.length === node.inputs.length) return undefined;
    return joinInstead(graph, node, output, inputs, "merged with the Concat before it");
  },
};

/** Concat(a, b) = a where b has nothing along the axis, as what a Slice leaves of an axis that is at its end. */
const dropEmptyOperands: Rule = {
  name: "drop-empty-operands",
  exactness: "bitwise",
  ops: ["Concat"],
  match(graph, node) {
    const [output, axis] = [outputOf(node), axisOf(node)];
    const full = node.inputs.filter((id) => {
      const shape = shapeOf(graph, id ?? undefined);
      return shape?.[normalAxis(axis, shape.length)] !== 0;
    });
    if (output === undefined || full.length === 0 || full.length === node.inputs.length)
      return undefined;
    return joinInstead(graph, node, output, full, "an operand has no elements");
  },
};

/** The same Concat, of other operands. */
function joinInstead(
  graph: Graph,
  concat: Node,
  output: ValueId,
  inputs: readonly (ValueId | null)[],
  because: string,
): Rewrite {
  const axis = { axis: attribute.int(axisOf(concat)) };
  const body = graph.body(concat.body);
  return replacing(output, because, (editor) => editor.add1("Concat", inputs, axis, { body }));
}

function axisOf(concat: Node): number {
  return attributesOf(concat).int("axis", 0);
}

/** Is a Concat along the same axis the only one that reads it? */
function isNestedConcat(graph: Graph, value: ValueId, axis: number): boolean {
  const reader = hasOneReader(graph, value) ? graph.consumers(value)[0] : undefined;
  return reader?.op === "Concat" && reader.domain === "" && axisOf(reader) === axis;
}

/**
 * x² as Pow is a multiplication: x · x. Pow(x, ½) is Sqrt. Not so where a mean of it is all that is taken: onnxruntime knows
 * a root mean square by its power, and has a kernel for the normalization that begins with it.
 */
const powToMul: Rule = {
  name: "pow-to-mul",
  exactness: "rounding",
  ops: ["Pow"],
  match(graph, node) {
    const [x, output] = [inputOf(node, 0), outputOf(node)];
    const exponent = scalarOf(graph, inputOf(node, 1));
    if (
      x === undefined ||
      output === undefined ||
      dtypeOf(graph, x) !== "float32" ||
      !shapesAgree(graph, x, output)
    )
      return undefined;
    const op = exponent === 2 ? "Mul" : exponent === 0.5 ? "Sqrt" : undefined;
    if (op === undefined || isAveraged(graph, output)) return undefined;
    const inputs = op === "Mul" ? [x, x] : [x];
    return replacing(output, `to the power of ${exponent} is ${op}`, (editor) =>
      editor.add1(op, inputs, {}, { body: graph.body(node.body) }),
    );
  },
};

function isAveraged(graph: Graph, value: ValueId): boolean {
  const [reader] = hasOneReader(graph, value) ? graph.consumers(value) : [];
  return reader?.op === "ReduceMean" && reader.domain === "";
}

export const arithmetic: readonly Rule[] = [
  divideByPowerOfTwo,
  mergeScalars,
  mergeCasts,
  mergeConcats,
  dropEmptyOperands,
  powToMul,
];
