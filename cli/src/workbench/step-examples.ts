import type { EngineHost } from "@pare/bench";
import { type Examples, findPass, type Step } from "@pare/compiler";
import type { OpenData } from "../data/open-data.js";
import type { Output } from "../terminal/output.js";
import { chooseSamples, everySample } from "./choose-samples.js";
import { openReference } from "./engines.js";
import { examplesAmong } from "./evaluation.js";
import { withStates } from "./with-states.js";
import type { OpenedModel } from "./opened-model.js";
import { readSamples } from "./read-samples.js";

export interface StepDataOptions {
  readonly data?: string;
  readonly preprocess?: string;
  readonly seed: number;
}

export interface StepExamples {
  readonly data: OpenData;
  readonly host: EngineHost;
  readonly examples: Examples | undefined;
  /** Absent where the data has none for training alone. */
  readonly training: Examples | undefined;
  dispose(): Promise<void>;
}

/** The samples that steps learn from, and the engine that runs them: the native one, or where that is not there WebAssembly. */
export async function openStepExamples(
  path: string,
  { preprocess, seed }: StepDataOptions,
  model: OpenedModel,
  steps: readonly Step[],
  say: Output,
  signal: AbortSignal,
): Promise<StepExamples> {
  const { inputs, constants } = model;
  const data = await readSamples(path, { inputs, constants, preprocess, seed }, say, signal);
  if (data.caveat !== null) say.note(data.caveat);
  try {
    const engines = await openReference({ signal });
    const { samples, splits } = data;
    const { indexes, note } = steps.some(calibratesOnAll)
      ? everySample(splits, samples.size)
      : chooseSamples(splits, samples.size, data.seed);
    if (note !== null) say.note(note);
    const training = splits.training ?? [];
    const lookedAt = [...indexes, ...training];
    const set = await withStates(samples, lookedAt, model, engines.reference, signal);
    const examples = examplesAmong(indexes, set, engines.reference);
    return {
      data,
      host: engines.reference,
      examples,
      training: examplesAmong(training, set, engines.reference),
      async dispose() {
        await data.dispose();
        await engines.dispose();
      },
    };
  } catch (error) {
    await data.dispose();
    throw error;
  }
}

function calibratesOnAll({ use, with: options }: Step): boolean {
  const definition = findPass(use);
  return definition.create(definition.parse(options)).calibratesOnAll === true;
}
