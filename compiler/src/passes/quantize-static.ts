import { observeActivations } from "../calibrate/observe-activations.js";
import type { Graph, ValueId } from "../ir/index.js";
import type { RangeMethod } from "../quantize/range.js";
import type { WeightBits } from "../quantize/weights.js";
import type { Pass, PassContext, PassDefinition } from "../pipeline/pass.js";
import { bringToNormalForm } from "./quantization/normal-form.js";
import { activationParameters } from "./quantization/qdq/activation-parameters.js";
import { insertStatic } from "./quantization/qdq/insert.js";
import { planStatic, type StaticPlan, type StaticScope } from "./quantization/qdq/plan.js";
import { quantizeWeightedNodes } from "./quantization/qdq/round-weights.js";
import { convolutionKinds } from "../analysis/weighted-node.js";
import { OptionReader } from "../pipeline/options.js";

export interface StaticOptions extends StaticScope {
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
  const plan = planStatic(graph, options);
  for (const { node, why } of plan.left) graph.leave("quantize-static", node, why);
  if (plan.activations.size === 0) return;
  const axes = options.correctBias ? channelAxes(plan) : new Map<ValueId, number>();
  const observed = [...plan.activations].flatMap(([value, { sameAs }]) =>
    (sameAs === null || axes.has(value)) && graph.constant(value) === undefined ? [value] : [],
  );
  const observers = await observeActivations(graph, observed, context, "quantize-static", axes);
  const activations = await activationParameters(graph, plan, observers, options.ranges);
  const weighted = await quantizeWeightedNodes(plan, activations, options);
  insertStatic(graph, plan, activations, weighted);
}

/** Where the channels are that weights are multiplied with. */
function channelAxes({ weighted }: StaticPlan): ReadonlyMap<ValueId, number> {
  return new Map(weighted.map(({ activation, kind }) => [activation, kind === "matmul" ? -1 : 1]));
}
