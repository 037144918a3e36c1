import { attribute, type ValueId } from "../../ir/index.js";
import { normalAxis } from "../../ops/families/indexing.js";
import { adapter, type Adapter, dropOthers, operand, type Step } from "./adapter.js";
import { inPrecision } from "./in-precision.js";

// Norms and Gelus are written as PyTorch's exporter writes them, node for node: onnxruntime fuses those forms alone.

/** x (1 + erf(x / √2)) ½, or with tanh: ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))) */
function gelu(step: Step): void {
  const x = operand(step, 0);
  const number = (value: number) => step.float("c", [value], []);
  const times = (a: ValueId, b: ValueId) => step.add("Mul", [a, b]);
  const oneMore = (value: ValueId) => step.add("Add", [value, number(1)]);
  if (step.attributes.string("approximate", "none") !== "tanh") {
    const erf = step.add("Erf", [step.add("Div", [x, number(Math.SQRT2)])]);
    step.replaceBy(times(times(x, oneMore(erf)), number(0.5)));
    return;
  }
  const cube = times(number(0.044715), step.add("Pow", [x, number(3)]));
  const inner = times(number(Math.sqrt(2 / Math.PI)), step.add("Add", [x, cube]));
  step.replaceBy(times(times(number(0.5), x), oneMore(step.add("Tanh", [inner]))));
}

/** γ (x − μ) / √(σ² + ε) + β, up to γ in float32 unless `stash_type` says otherwise. */
function layerNorm(step: Step): void {
  const rank = step.rank(0);
  const axis = step.attributes.int("axis", -1);
  if (rank === undefined) step.refuse("the rank of its input is not known");
  dropOthers(step, "its mean is read");
  const first = normalAxis(axis, rank) - rank;
  const axes = Array.from({ length: -first }, (_, index) => first + index);
  const { wide, overRoot } = inPrecision(step);
  const x = wide(operand(step, 0));
  // Written as opset 17 has it: what is lowered further visits these nodes too.
  const mean = (value: ValueId) =>
    step.add("ReduceMean", [value], { axes: attribute.ints(axes), keepdims: attribute.int(1) });
  const difference = step.add("Sub", [x, mean(x)]);
  const variance = mean(step.add("Pow", [difference, step.float("c", [2], [])]));
  const normal = overRoot(difference, variance, step.attributes.float("epsilon", 1e-5));
  const scaled = step.add("Mul", [normal, operand(step, 1)]);
  const beta = step.input(2);
  step.replaceBy(beta === undefined ? scaled : step.add("Add", [scaled, beta]));
}

/** x · HardSigmoid(x; 1/6, 1/2) */
function hardSwish(step: Step): void {
  const x = operand(step, 0);
  const gate = step.add("HardSigmoid", [x], {
    alpha: attribute.float(Math.fround(1 / 6)),
    beta: attribute.float(0.5),
  });
  step.replaceBy(step.add("Mul", [x, gate]));
}

/** x · tanh(softplus(x)) */
function mish(step: Step): void {
  const x = operand(step, 0);
  step.replaceBy(step.add("Mul", [x, step.add("Tanh", [step.add("Softplus", [x])])]));
}

/** a ≥ b is ¬(a < b), unless one is not a number. */
function negated(op: string): (step: Step) => void {
  return (step) => {
    if (step.dtype(0)?.startsWith("float") !== false)
      step.refuse("of floats it is no negation: neither holds where one is not a number");
    step.replaceBy(step.add("Not", [step.add(op, [operand(step, 0), operand(step, 1)])]));
  };
}

/** An InstanceNormalization of the groups, γ and β of each channel behind it. */
function groupNorm(step: Step): void {
  const rank = step.rank(0);
  const groups = step.attributes.int("num_groups");
  if (rank === undefined) return step.refuse("the rank of its input is not known");
  if (groups === undefined || groups < 1) return step.refuse("it has no num_groups");
  const x = operand(step, 0);
  const shape = step.add("Shape", [x]);
  const rows = step.add("Reshape", [x, step.int64("groups", [0, groups, -1])]);
  const [ones, zeros] = [1, 0].map((value) =>
    step.float("group", Array<number>(groups).fill(value), [groups]),
  );
  const epsilon = attribute.float(step.attributes.float("epsilon", 1e-5));
  const normal = step.add("InstanceNormalization", [rows, ones ?? x, zeros ?? x], { epsilon });
  const channels = step.int64("channels", [-1, ...Array<number>(rank - 2).fill(1)]);
  const perChannel = (index: number) => step.add("Reshape", [operand(step, index), channels]);
  const scaled = step.add("Mul", [step.add("Reshape", [normal, shape]), perChannel(1)]);
  step.replaceBy(step.add("Add", [scaled, perChannel(2)]));
}

/** Operators in the words of those before them. `to` is the version that brought them. */
export const operatorLowerings: readonly Adapter[] = [
  ...adapter("Gelu", 20, gelu),
  ...adapter("Mish", 18, mish),
  ...adapter("LayerNormalization", 17, layerNorm),
  ...adapter("HardSwish", 14, hardSwish),
  ...adapter("GreaterOrEqual", 12, negated("Less")),
  ...adapter("LessOrEqual", 12, negated("Greater")),
  ...adapter("GroupNormalization", 21, groupNorm),
  ...adapter("ScatterElements", 11, (step) => step.editor.setOp(step.node.id, "Scatter")),
  ...adapter("Scatter", 9, (step) => step.refuse("it came with 9")),
];
