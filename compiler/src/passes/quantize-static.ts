import type { Graph, ValueId } from "../ir/index.js";
import type { Observed } from "../pipeline/activations.js";
import { boolean, oneOf } from "../pipeline/kinds.js";
import { option, optional, type OptionsOf } from "../pipeline/options.js";
import { definePass, type PassContext } from "../pipeline/pass.js";
import { isTooSmall } from "../quantize/scale.js";
import { planEveryOperator } from "./ort-compat/plan.js";
import { nothingKept } from "./quantization/keep-float.js";
import { bringToFloat32 } from "./normal-form.js";
import { activationParameters } from "./quantization/qdq/activation-parameters.js";
import { insertStatic } from "./quantization/qdq/insert.js";
import { observeActivations } from "./quantization/qdq/observe.js";
import { planStatic } from "./quantization/qdq/plan.js";
import { quantizeWeightedNodes } from "./quantization/qdq/round-weights.js";
import { places, ranges } from "./quantization/qdq/static-options.js";
import type { StaticPlan } from "./quantization/qdq/static-plan.js";
import {
  formerWeightBits,
  granularity,
  keepFloat,
  reduceRange,
  weightBits,
  weightRanges,
} from "./quantization/weight-options.js";

const described = {
  bits: weightBits(8),
  granularity,
  activationBits: option(
    oneOf([8, 7]),
    8,
    "Of an activation. Seven are exact in relaxed SIMD of WebAssembly, whatever the machine; each is a byte of at most 127.",
  ),
  ranges,
  weightRanges: weightRanges("minmax"),
  reduceRange,
  correctBias: optional(
    boolean,
    'Takes out of biases what rounding the weights shifts results by, on average; true where `ops` is "weighted".',
  ),
  ops: option(
    oneOf(["weighted", "all"]),
    "weighted",
    "Conv, Gemm and MatMul, or every operator that onnxruntime's Python quantizer takes.",
  ),
  ...places,
  keepFloat,
};

type StaticOptions = OptionsOf<typeof described>;

export const quantizeStatic = definePass({
  name: "quantize-static",
  summary: "int8 or int4 weights and uint8 activations with ranges from calibration (QDQ)",
  options: described,
  former: formerWeightBits,
  create: (options) => ({
    exactness: "lossy",
    precision: "int8",
    needs: "activations",
    run: (graph, context) => run(graph, context, options),
  }),
});

async function run(graph: Graph, context: PassContext, options: StaticOptions): Promise<void> {
  await bringToFloat32(graph);
  const { correctBias = options.ops === "weighted" } = options;
  const planned = await (options.ops === "all" ? planEveryOperator : planStatic)(graph, options);
  const scope = { ...options, correctBias };
  const observe = async (): Promise<Observed> => {
    const asked = { plan: planned, beside: await whole(graph, scope), ...scope };
    return observeActivations(graph, asked, "quantize-static", context);
  };
  const observed = planned.activations.size === 0 ? null : await observe();
  const unseen = observed === null ? new Set<ValueId>() : unseenOf(graph, planned, observed);
  const leaves = unseen.size > 0 && options.ops === "weighted";
  const plan = leaves ? await planStatic(graph, { ...options, unseen }) : planned;
  for (const { node, why } of plan.left) graph.leave("quantize-static", node, why);
  if (observed === null || plan.activations.size === 0) return;
  const activations = await activationParameters(graph, plan, observed);
  const weighted = await quantizeWeightedNodes(plan, activations, { ...options, correctBias });
  insertStatic(graph, plan, activations, weighted, "quantize-static");
}

function unseenOf(
  graph: Graph,
  { activations, format }: StaticPlan,
  { ranges }: Observed,
): ReadonlySet<ValueId> {
  const isUnseen = (value: ValueId): boolean => {
    const range = ranges.get(value);
    return range !== undefined && isTooSmall(range, format) && graph.constant(value) === undefined;
  };
  const unseen = [...activations].filter(([value, { sameAs }]) => isUnseen(sameAs ?? value));
  return new Set(unseen.map(([value]) => value));
}

/** Its plan where nothing is left float but by its kind: those that leave this or that float share what it observes. */
function whole(graph: Graph, options: StaticOptions): Promise<StaticPlan> {
  return options.ops === "all"
    ? planEveryOperator(graph, { ...options, keepFloat: nothingKept })
    : planStatic(graph, {
        ...options,
        keepFloat: nothingKept,
        inputs: "quantize",
        outputs: "quantize",
      });
}
