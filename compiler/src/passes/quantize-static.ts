import { PareError } from "@pare/runtime/format";
import type { Graph, ValueId } from "../ir/index.js";
import type { Observed, Wanted } from "../pipeline/activations.js";
import { boolean, listOf, oneOf } from "../pipeline/kinds.js";
import { option, optional, type OptionsOf } from "../pipeline/options.js";
import { definePass, type PassContext } from "../pipeline/pass.js";
import { uint8Activations } from "../quantize/format.js";
import { planEveryOperator } from "./ort-compat/plan.js";
import { nothingKept } from "./quantization/keep-float.js";
import { bringToNormalForm } from "./quantization/normal-form.js";
import { activationParameters } from "./quantization/qdq/activation-parameters.js";
import { insertStatic } from "./quantization/qdq/insert.js";
import { planStatic } from "./quantization/qdq/plan.js";
import { canCorrectBias, quantizeWeightedNodes } from "./quantization/qdq/round-weights.js";
import type { StaticPlan } from "./quantization/qdq/static-plan.js";
import {
  formerWeightBits,
  granularity,
  keepFloat,
  reduceRange,
  weightRanges,
} from "./quantization/weight-options.js";
import { convolutionKinds } from "../analysis/weighted-node.js";

const described = {
  granularity,
  ranges: option(
    oneOf(["minmax", "mse", "percentile"]),
    "minmax",
    "Of activations: all that was seen, what loses least in the mean square, or all but the outermost hundred-thousandth.",
  ),
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
  convolutions: option(
    listOf(oneOf(convolutionKinds)),
    convolutionKinds,
    "Which kinds of convolution become integer.",
  ),
  inputs: option(
    oneOf(["quantize", "float"]),
    "quantize",
    '"float" keeps the convolutions float that read the model\'s own input.',
  ),
  outputs: option(
    oneOf(["quantize", "float"]),
    "quantize",
    '"float" keeps the convolutions float whose results leave the model without passing further weights.',
  ),
  keepFloat,
};

type StaticOptions = OptionsOf<typeof described>;

export const quantizeStatic = definePass({
  name: "quantize-static",
  summary: "int8 weights and uint8 activations with ranges from calibration (QDQ)",
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
  bringToNormalForm(graph);
  const { correctBias = options.ops === "weighted" } = options;
  const plan = await (options.ops === "all" ? planEveryOperator : planStatic)(graph, options);
  for (const { node, why } of plan.left) graph.leave("quantize-static", node, why);
  if (plan.activations.size === 0) return;
  const scope = { ...options, correctBias };
  const observed = await observe(graph, plan, await whole(graph, scope), scope, context);
  const activations = await activationParameters(graph, plan, observed);
  const weighted = await quantizeWeightedNodes(plan, activations, { ...options, correctBias });
  insertStatic(graph, plan, activations, weighted);
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

/** @throws PareError DATA_NOT_FOUND without calibration data, and as `Activations.observe` */
async function observe(
  graph: Graph,
  plan: StaticPlan,
  beside: StaticPlan,
  scope: StaticOptions,
  { activations, signal, onProgress }: PassContext,
): Promise<Observed> {
  if (activations === undefined) {
    throw new PareError(
      "DATA_NOT_FOUND",
      "quantize-static measures activations, but there is no data to measure them on.",
      {
        where: "quantize-static",
        hint: "Give data with --data, or quantize without it: quantize-dynamic, quantize-weights.",
      },
    );
  }
  return activations.observe(graph, wantedOf(graph, plan, scope), {
    pass: "quantize-static",
    beside: wantedOf(graph, beside, scope, true),
    signal,
    onProgress,
  });
}

/** @param own also of what has another one's range: with less of the graph quantized it may have its own */
function wantedOf(
  graph: Graph,
  plan: StaticPlan,
  { correctBias, ranges: method }: StaticOptions,
  own = false,
): readonly Wanted[] {
  const wanted: Wanted[] = [];
  for (const [value, { sameAs }] of plan.activations)
    if ((own || sameAs === null) && graph.constant(value) === undefined)
      wanted.push({ value, statistic: { kind: "range", method, format: uint8Activations } });
  if (correctBias === true) {
    for (const [value, axis] of channelAxes(plan))
      if (graph.constant(value) === undefined)
        wanted.push({ value, statistic: { kind: "channel-means", axis } });
  }
  return wanted;
}

/** Where the channels are whose means correct a bias. */
function channelAxes({ weighted }: StaticPlan): ReadonlyMap<ValueId, number> {
  return new Map(
    weighted
      .filter(canCorrectBias)
      .map(({ activation, linear }) => [activation, linear.inputChannels]),
  );
}
