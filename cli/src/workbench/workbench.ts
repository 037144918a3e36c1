import type { TargetName } from "@pare/runtime/format";
import { PareError, throwIfAborted } from "@pare/runtime/format";
import { openData, type OpenData } from "../data/open-data.js";
import type { Output } from "../terminal/output.js";
import { type Engines, openEngines } from "./engines.js";
import { type Evaluation, prepareEvaluation } from "./evaluation.js";
import type { MeasureVerbOptions } from "./measure-options.js";
import type { OpenedModel } from "./opened-model.js";
import { guessedText } from "./synthetic-samples.js";

/** Everything that measuring a model needs, open: the data, the engines, what it is evaluated with. */
export interface Workbench {
  readonly data: OpenData | null;
  readonly engines: Engines;
  readonly evaluation: Evaluation;
  dispose(): Promise<void>;
}

/** @throws PareError ARGUMENT for options that do not go together; before anything is opened */
export function checkMeasureOptions(options: MeasureVerbOptions): void {
  if (options.preprocess !== undefined && options.data === undefined) {
    throw new PareError("ARGUMENT", "--preprocess needs --data.", {
      where: "--preprocess",
      hint: "Name the folder of images with --data.",
    });
  }
  if (options.metric !== undefined && options.data === undefined) {
    throw new PareError(
      "ARGUMENT",
      "--metric needs --data: without data there is nothing to be right about.",
      { where: "--metric", hint: "Add --data, or leave --metric out." },
    );
  }
}

/** Reads the data, starts the engines and settles the metric. */
export async function openWorkbench(
  model: OpenedModel,
  targets: readonly TargetName[],
  options: MeasureVerbOptions,
  seed: number,
  output: Output,
  signal: AbortSignal,
): Promise<Workbench> {
  let data: OpenData | null = null;
  let engines: Engines | null = null;
  const dispose = async (): Promise<void> => {
    await data?.dispose();
    await engines?.dispose();
  };
  try {
    if (options.data !== undefined) {
      data = await openData(options.data, {
        inputs: model.inputs,
        seed,
        signal,
        ...(options.preprocess !== undefined && { preprocess: options.preprocess }),
        onProgress: (done, count) =>
          output.progress(count === null ? 0 : done / count, `reading samples: ${done}`),
        onPrint: (text) => output.detail(text),
      });
    } else {
      const guessed = guessedText(model.inputs);
      if (guessed !== null) output.note(guessed);
    }
    throwIfAborted(signal);
    output.progress(0, "starting engines");
    engines = await openEngines(targets);
    for (const note of engines.notes) output.note(note);
    for (const { target, reason } of engines.skipped) output.note(`skipped ${target}: ${reason}`);
    throwIfAborted(signal);
    return {
      data,
      engines,
      evaluation: await prepareEvaluation(model, data, options.metric, seed, engines.reference),
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
