import type { Graph } from "../../ir/index.js";
import type { PassContext } from "../../pipeline/pass.js";
import { learnedConstants, leaveUnlearned, trainedConstants } from "../../train/parameters.js";
import type { Trained } from "../../train/train-request.js";
import { untieVectors } from "../../train/untie-vectors.js";
import { keepLearned } from "../distillation/distill-graph.js";
import { type DistillServices, teach } from "../distillation/teach.js";
import { nothingKept } from "../quantization/keep-float.js";
import { activationParameters } from "../quantization/qdq/activation-parameters.js";
import { insertStatic } from "../quantization/qdq/insert.js";
import { bringToTrainable } from "../distillation/bring-to-trainable.js";
import { observeActivations } from "../quantization/qdq/observe.js";
import { planStatic } from "../quantization/qdq/plan.js";
import { quantizeWeightedNodes } from "../quantization/qdq/round-weights.js";
import { fakeQuantized } from "./fake-quantized.js";
import { ScaleReader } from "./learned-scales.js";
import type { AwareOptions } from "./options.js";

export type { AwareOptions };

const where = "quantize-aware";

/** What came of it, beside the graph itself. */
export interface QuantizedAware {
  readonly trained: Trained;
  /** What was trained, with what it learned: floats that round where the graph has integers. */
  readonly fake: Graph;
}

/**
 * Makes integers of a float graph in place, as `quantize-static` does, after a training in which weights and activations
 * were rounded already. Without a teacher the float graph itself is one. Null where nothing can become integer: then
 * the graph stays as it is.
 * @throws PareError DATA_NOT_FOUND without calibration data; as `teach`, `trainedConstants` and `Activations.observe`
 */
export async function quantizeAwareGraph(
  graph: Graph,
  options: AwareOptions,
  services: DistillServices & Pick<PassContext, "activations">,
): Promise<QuantizedAware | null> {
  await bringToTrainable(graph);
  const first = await planStatic(graph, options);
  for (const { node, why } of first.left) graph.leave(where, node, why);
  if (first.activations.size === 0) return null;
  // A plan names biases.
  const plan = untieVectors(graph) ? await planStatic(graph, options) : first;
  const learned = learnedConstants(graph, options.learn);
  const trained = trainedConstants(graph, learned, options.freeze);
  const left = leaveUnlearned(graph, options.learn, where);
  if (left !== null) services.onNote?.(left);
  const whole = { ...options, keepFloat: nothingKept } as const;
  const beside = await planStatic(graph, { ...whole, inputs: "quantize", outputs: "quantize" });
  const asked = { plan, beside, ranges: options.ranges, correctBias: false };
  const { activations, signal, onMeasured } = services;
  const observed = await observeActivations(graph, asked, where, {
    ...(activations && { activations }),
    ...(signal && { signal }),
    ...(onMeasured && { onProgress: onMeasured }),
  });
  const measured = await activationParameters(graph, plan, observed);
  const fake = await fakeQuantized(graph, plan, measured, options);
  const scales = options.learnScales
    ? [...fake.weights.values(), ...fake.activations.values()].map(({ constant }) => constant)
    : [];
  const result = await teach(
    {
      graph: fake.graph,
      learned: [...learned, ...scales],
      trained: [...trained, ...scales],
      straightThrough: fake.rounding,
      where,
    },
    { ...options, signals: [] },
    { ...services, teacher: services.teacher ?? graph.fork() },
  );
  keepLearned(fake.graph, result, where);
  const own = new Set(learned.map(({ value }) => value));
  const floats = result.learned.filter(({ constant }) => own.has(constant.value));
  keepLearned(graph, { ...result, learned: floats }, where);
  const reader = new ScaleReader(result.learned);
  const parameters = reader.activations(fake, plan, measured);
  // The same plan, of the weights that were learned.
  const now = await planStatic(graph, options);
  const rounded = await quantizeWeightedNodes(now, parameters, {
    ...options,
    correctBias: false,
    learnedScales: reader.weights(fake),
  });
  insertStatic(graph, now, parameters, rounded, where);
  return { trained: result, fake: fake.graph };
}
