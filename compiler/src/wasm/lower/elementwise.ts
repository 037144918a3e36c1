import type { Dtype } from "@pare/runtime/format";
import type { ValueId } from "../../ir/index.js";
import type { Binary } from "../kernels/binary.js";
import type { Elements } from "../kernels/element.js";
import type { Epilogue } from "../kernels/epilogue.js";
import type { Instruction, Operand } from "../kernels/map.js";
import { orderOf, rowMajor, widened } from "../plan/view.js";
import { absorbFollowers } from "./followers.js";
import { hasIntegers, isOfIntegers, lowerIntegers } from "./integers.js";
import type { LoweringRow } from "./lowering-row.js";
import { elementwiseRows } from "./row-rules.js";
import type { Lowering } from "./lowering.js";
import { planMap } from "./map-views.js";
import { dtypeOf, type NodeFacts } from "./node-facts.js";
import { unaryOf } from "./unary-of.js";

const binaries: Readonly<Record<string, Binary>> = {
  Add: "add",
  Sub: "subtract",
  Mul: "multiply",
  Div: "divide",
  Min: "min",
  Max: "max",
  Sum: "add",
  Mean: "add",
  PRelu: "prelu",
  Mod: "remainder",
  Pow: "power",
};

const numbers: readonly Dtype[] = ["float32", "int32", "int64"];

/** Functions of one tensor, constants being what they are: by `unaryOf`. */
export const unaryRow: LoweringRow = {
  rows: elementwiseRows,
  types: numbers,
  refuse(node) {
    const dtype = dtypeOf(node.graph, node.output());
    if (dtype !== "float32") return hasIntegers(node.node.op) ? undefined : noIntegers;
    const x = node.inputs.find((_, at) => !node.isConstant(at)) ?? node.required(0);
    const scalar = (id: ValueId) => smallScalar(node, id);
    return unaryOf(node.node, x, scalar) === undefined
      ? "its bounds must be constant numbers"
      : undefined;
  },
  lower(node, l) {
    if (isOfIntegers(l, node.output())) return lowerIntegers(node, l);
    const x = node.inputs.find((id) => !l.isConstant(id)) ?? node.required(0);
    const unaries = unaryOf(node.node, x, (id) => l.scalar(id)) ?? [];
    lowerMap(
      l,
      node.output(),
      [x],
      unaries.map((unary, at) => ({ unary, x: previous(at) })),
    );
  },
};

const noIntegers = "it is compiled for floats alone";

function smallScalar(node: NodeFacts, id: ValueId): number | undefined {
  const numbers = node.graph.constant(id)?.numbers();
  return numbers?.length === 1 ? numbers[0] : undefined;
}

function previous(at: number): Operand {
  return at === 0 ? { input: 0 } : { result: at - 1 };
}

/** Two tensors or more, joined from the left. */
export const binaryRow: LoweringRow = {
  rows: elementwiseRows,
  types: numbers,
  refuse(node) {
    const { op } = node.node;
    const [x, y] = node.inputs.map((id) => dtypeOf(node.graph, id));
    if (x !== "float32" && !hasIntegers(op)) return noIntegers;
    if (op === "Pow" && y !== x && smallScalar(node, node.required(1)) === undefined)
      return "an exponent of integers must be a constant number";
    return op === "Mod" && x === "float32" && node.attributes.int("fmod", 0) === 0
      ? "floats have no modulo but that of fmod"
      : undefined;
  },
  lower(node, l) {
    if (isOfIntegers(l, node.output())) return lowerIntegers(node, l);
    const { inputs } = node;
    const free = inputs.filter((id) => !l.isConstant(id));
    const [only] = free;
    if (free.length === 1 && only !== undefined && inputs.length === 2) {
      const unaries = unaryOf(node.node, only, (id) => l.scalar(id));
      if (unaries !== undefined) {
        lowerMap(
          l,
          node.output(),
          [only],
          unaries.map((unary, at) => ({ unary, x: previous(at) })),
        );
        return;
      }
    }
    const binary = node.entryOf(binaries);
    const tensors = inputs.filter((id) => l.scalar(id) === undefined);
    const operands = inputs.map((id): Operand => {
      const c = l.scalar(id);
      return c === undefined ? { input: tensors.indexOf(id) } : { constant: c };
    });
    const [first = { constant: 0 }, ...rest] = operands;
    const program = rest.map((y, at): Instruction => ({
      binary,
      x: at === 0 ? first : { result: at - 1 },
      y,
    }));
    if (node.node.op === "Mean") {
      const sum: Operand = program.length === 0 ? { input: 0 } : { result: program.length - 1 };
      // A product here, as in onnxruntime, which divides means of one tensor.
      program.push({ unary: { kind: "scale", by: 1 / inputs.length }, x: sum });
    }
    lowerMap(l, node.output(), tensors, program);
  },
};

/** y = scale · (x − mean) / √(variance + ε) + bias = a·x + b */
export const batchNormRow: LoweringRow = {
  refuse(node) {
    const isTraining = node.attributes.int("training_mode", 0) !== 0;
    const areConstant = [1, 2, 3, 4].every((at) => node.isConstant(at));
    return isTraining || !areConstant ? "its statistics must be constant" : undefined;
  },
  lower(node, l) {
    const [scale, bias, mean, variance] = [1, 2, 3, 4].map((at) => l.floats(node.required(at)));
    const channels = node.dims(0)[1] ?? 1;
    const epsilon = node.attributes.float("epsilon", 1e-5);
    const a = Float32Array.from(
      { length: channels },
      (_, c) => (scale?.[c] ?? 1) / Math.sqrt((variance?.[c] ?? 0) + epsilon),
    );
    const b = a.map((factor, c) => (bias?.[c] ?? 0) - (mean?.[c] ?? 0) * factor);
    const program: Instruction[] = [
      { binary: "multiply", x: { input: 0 }, y: { input: 1 } },
      { binary: "add", x: { result: 0 }, y: { input: 2 } },
    ];
    const dims = node.dims(0).map((size, axis) => (axis === 1 ? size : 1));
    lowerMap(
      l,
      node.output(),
      [node.required(0), { numbers: a, dims }, { numbers: b, dims }],
      program,
    );
  },
};

/** A tensor of the model, or numbers that follow from its constants. */
export type Given = ValueId | { readonly numbers: Elements; readonly dims: readonly number[] };

/** Plans a map whose result is `id`, and what follows it and nobody else sees. */
export function lowerMap(
  l: Lowering,
  id: ValueId,
  given: readonly Given[],
  program: readonly Instruction[],
): void {
  const dims = l.dims(id);
  const rank = dims.length;
  const { epilogue, other, result } = absorbFollowers(l, id, false);
  const all = other === undefined ? given : [...given, other];
  const order = orderLike(l, all, dims);
  const views = all.map((one) =>
    typeof one === "number"
      ? l.operand(one, rank, order)
      : widened(
          l.constantView(one.numbers, one.dims, innerOrder(order, rank - one.dims.length)),
          rank,
        ),
  );
  const y = l.allocate(result, order);
  planMap(l, views, y, [...program, ...following(epilogue, program.length, all.length - 1)]);
}

function following(
  epilogue: readonly Epilogue[],
  from: number,
  other: number,
): readonly Instruction[] {
  return epilogue.map((part, at): Instruction => {
    const x = from + at === 0 ? { input: 0 } : { result: from + at - 1 };
    if (part.kind === "add-other") return { binary: "add", x, y: { input: other } };
    if (part.kind === "multiply-other") return { binary: "multiply", x, y: { input: other } };
    return { unary: part, x };
  });
}

function innerOrder(order: readonly number[], added: number): readonly number[] {
  return order.filter((axis) => axis >= added).map((axis) => axis - added);
}

/** As the first input lies that is as large as the result. */
function orderLike(
  l: Lowering,
  given: readonly Given[],
  dims: readonly number[],
): readonly number[] {
  for (const one of given) {
    if (typeof one !== "number" || l.isConstant(one)) continue;
    if (l.dims(one).join() !== dims.join()) continue;
    const view = l.view(one);
    if (view.lanes >= 0) return orderOf(view);
  }
  const image = given.some((one) => typeof one === "number" && isChannelsLast(l, one, dims.length));
  return image && dims.length === 4 ? [0, 2, 3, 1] : rowMajor(dims.length);
}

function isChannelsLast(l: Lowering, id: ValueId, rank: number): boolean {
  if (l.isConstant(id) || l.dims(id).length !== rank) return false;
  return l.view(id).lanes === 1;
}
