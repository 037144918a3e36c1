import { PareError } from "@pare/runtime/format";
import type { Graph, ValueId } from "../ir/index.js";
import type { Observed, Wanted } from "../pipeline/activations.js";
import type { RangeMethod } from "../quantize/range.js";
import { uint8Range } from "../quantize/scale.js";
import type { WeightBits } from "../quantize/weights.js";
import type { Pass, PassContext, PassDefinition } from "../pipeline/pass.js";
import { planEveryOperator } from "./ort-compat/plan.js";
import { bringToNormalForm } from "./quantization/normal-form.js";
import { activationParameters } from "./quantization/qdq/activation-parameters.js";
import { insertStatic } from "./quantization/qdq/insert.js";
import { planStatic } from "./quantization/qdq/plan.js";
import { canCorrectBias, quantizeWeightedNodes } from "./quantization/qdq/round-weights.js";
import type { StaticPlan, StaticScope } from "./quantization/qdq/static-plan.js";
import { convolutionKinds } from "../analysis/weighted-node.js";
import { OptionReader } from "../pipeline/options.js";

export interface StaticOptions extends StaticScope {
  /** "weighted": Conv, Gemm and MatMul; "all": every operator that onnxruntime's Python quantizer takes. */
  readonly ops: "weighted" | "all";
  readonly granularity: "channel" | "tensor";
  /** Of activations. */
  readonly ranges: RangeMethod;
  /** Of weights. */
  readonly weightRanges: RangeMethod;
  /** Takes out of biases what rounding the weights shifts results by, on average. */
  readonly correctBias: boolean;
  /** 7 never saturates on x86 without VNNI; 8 is finer. */
  readonly weightBits: WeightBits;
}

export const quantizeStatic: PassDefinition<"quantize-static", StaticOptions> = {
  name: "quantize-static",
  summary: "int8 weights and uint8 activations with ranges from calibration (QDQ)",
  parse(options) {
    const read = new OptionReader("quantize-static", options);
    const ops = read.oneOf("ops", ["weighted", "all"], "weighted");
    const parsed: StaticOptions = {
      granularity: read.oneOf("granularity", ["channel", "tensor"], "channel"),
      ranges: read.oneOf("ranges", ["minmax", "mse"], "minmax"),
      weightRanges: read.oneOf("weightRanges", ["minmax", "mse"], "minmax"),
      weightBits: read.oneOf("weightBits", [7, 8], 7),
      correctBias: read.boolean("correctBias", ops === "weighted"),
      ops,
      convolutions: read.someOf("convolutions", convolutionKinds, convolutionKinds),
      inputs: read.oneOf("inputs", ["quantize", "float"], "quantize"),
      outputs: read.oneOf("outputs", ["quantize", "float"], "quantize"),
      keepFloat: read.texts("keepFloat", []),
    };
    read.done();
    return parsed;
  },
  create: (options): Pass => ({
    exactness: "lossy",
    run: (graph, context) => run(graph, context, options),
  }),
};

async function run(graph: Graph, context: PassContext, options: StaticOptions): Promise<void> {
  bringToNormalForm(graph);
  const plan = await (options.ops === "all" ? planEveryOperator : planStatic)(graph, options);
  for (const { node, why } of plan.left) graph.leave("quantize-static", node, why);
  if (plan.activations.size === 0) return;
  const observed = await observe(graph, plan, options, context);
  const activations = await activationParameters(graph, plan, observed);
  const weighted = await quantizeWeightedNodes(plan, activations, options);
  insertStatic(graph, plan, activations, weighted);
}

/** @throws PareError DATA_NOT_FOUND without calibration data, and as `Activations.observe` */
async function observe(
  graph: Graph,
  plan: StaticPlan,
  { correctBias, ranges: method }: StaticOptions,
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
  const wanted: Wanted[] = [];
  for (const [value, { sameAs }] of plan.activations)
    if (sameAs === null && graph.constant(value) === undefined)
      wanted.push({ value, statistic: { kind: "range", method, integers: uint8Range } });
  if (correctBias) {
    for (const [value, axis] of channelAxes(plan))
      if (graph.constant(value) === undefined)
        wanted.push({ value, statistic: { kind: "channel-means", axis } });
  }
  return activations.observe(graph, wanted, { pass: "quantize-static", signal, onProgress });
}

/** Where the channels are whose means correct a bias. */
function channelAxes({ weighted }: StaticPlan): ReadonlyMap<ValueId, number> {
  return new Map(
    weighted
      .filter(canCorrectBias)
      .map(({ activation, linear }) => [activation, linear.inputChannels]),
  );
}
