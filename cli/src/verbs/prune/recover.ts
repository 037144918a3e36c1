import type { EngineHost } from "@pare/bench";
import { encodeModel, type Examples, looksAtSamples } from "@pare/compiler";
import type { WorkOutput } from "../../terminal/output.js";
import { chooseSamples } from "../../workbench/choose-samples.js";
import { type Engines, openReference } from "../../workbench/engines.js";
import { examplesAmong } from "../../workbench/evaluation.js";
import { simplifyStep } from "../../workbench/keep-metadata.js";
import { applySteps, factsOf } from "../../workbench/run-steps.js";
import { harmText } from "../../workbench/training/tested-accuracy.js";
import { teach } from "../../workbench/training/teach.js";
import type { TrainingOptions } from "../../workbench/training/train-with-checkpoints.js";
import { signalsOf, type TeacherOptions } from "../../workbench/training/training-options.js";
import { openTrainingData, type TrainingData } from "../../workbench/training/training-data.js";
import {
  cutAccuracyText,
  type CutOptions,
  demandReach,
  isWorse,
  type Pruned,
  type PruneRequest,
} from "./cut.js";

interface RecoverOptions
  extends CutOptions, TeacherOptions, Omit<TrainingOptions, "signals" | keyof TeacherOptions> {
  readonly data: string;
}

/** Cuts, and lets the model as it came teach what is left of it. The model's graph is the cut one then, untaught. */
export async function cutAndRecover(
  request: PruneRequest,
  options: RecoverOptions,
): Promise<Pruned> {
  const { model, say, signal } = request;
  const { data, seed, check } = options;
  const before = factsOf(model);
  const came = (await encodeModel(model.graph)).proto;
  // What folds batch norms after the cut does it after the training, which needs them.
  const steps = request.steps.slice(0, 1 + request.steps.findIndex(({ use }) => use === "prune"));
  const cut = (examples?: Examples): Promise<void> =>
    applySteps({ ...request, steps, examples, seed });
  let samples: TrainingData | null = null;
  let engines: Engines | null = null;
  await demandReach({ ...request, steps }, options);
  try {
    samples = await openTrainingData(data, options, model, true, say, signal);
    engines = await openReference({ signal });
    const host = engines.reference;
    const looks = options.reconstruct || looksAtSamples(options.importance);
    await cut(looks ? lookedAt(samples, seed, host, say) : undefined);
    const student = (await encodeModel(model.graph)).proto;
    const { text, document, tested, graph } = await teach({
      model,
      before,
      student,
      teacher: came,
      samples,
      options: { ...options, signals: signalsOf(options) },
      steps: [simplifyStep(options)],
      output: options.output ?? `${model.name}.pruned.onnx`,
      suffix: "pruned",
      check,
      judged: model,
      beside: [
        { name: "before", bytes: came },
        { name: "cut", bytes: student },
      ],
      called: "recovered",
      host,
      say,
      signal,
    });
    return {
      graph,
      text: [cutAccuracyText(tested), text].filter((line) => line !== null).join("\n"),
      next:
        harmText(tested.get("cut"), tested.get("recovered")) ??
        (isWorse(tested.get("recovered"))
          ? `It is still less right than it was: ${options.reconstruct ? "" : "--reconstruct, which fits what is left before it is taught, "}more epochs, more samples to learn from or a larger share may help.`
          : null),
      document: { ...document, journal: [...model.graph.journal, ...graph.journal] },
    };
  } finally {
    await samples?.data.dispose();
    await engines?.dispose();
  }
}

/** Of what is learned from, so that what tests is not looked at. */
function lookedAt(
  { data: { samples }, learnedFrom }: TrainingData,
  seed: number,
  host: EngineHost,
  say: WorkOutput,
): Examples | undefined {
  const { indexes, note } = chooseSamples({ calibration: learnedFrom }, samples.size, seed);
  if (note !== null) say.note(note);
  return examplesAmong(indexes, samples, host);
}
