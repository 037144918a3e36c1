import type { Sizes } from "@pare/compiler";
import type { TargetName } from "@pare/runtime/format";
import { isPareError, PareError, throwIfAborted } from "@pare/runtime/format";
import type { OpenData } from "../data/open-data.js";
import type { WorkOutput } from "../terminal/output.js";
import { type Engines, openEngines } from "./engines.js";
import { type Evaluation, prepareEvaluation } from "./evaluation.js";
import type { MeasureVerbOptions } from "./measure-options.js";
import type { OpenedModel } from "./opened-model.js";
import { fittingSize } from "./fitting-size.js";
import { readSamples } from "./read-samples.js";
import { guessedText } from "./synthetic-samples.js";

/** Everything that measuring a model needs, open: the data, the engines, what it is evaluated with. */
export interface Workbench {
  readonly data: OpenData | null;
  readonly engines: Engines;
  readonly evaluation: Evaluation;
  dispose(): Promise<void>;
}

type DataOptions = Pick<MeasureVerbOptions, "data" | "preprocess" | "metric">;

/** @throws PareError ARGUMENT for options that do not go together; before anything is opened */
export function checkMeasureOptions(options: DataOptions): void {
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

/** For one answer an engine may take half of the time budget, and never less than this. */
const leastPatienceMs = 5_000;

/** Reads the data while the engines start, and settles the metric. */
export async function openWorkbench(
  model: OpenedModel,
  targets: readonly TargetName[],
  options: DataOptions & {
    readonly timeBudgetMs?: number;
    readonly sizes?: Sizes;
    readonly synthetic?: boolean;
  },
  seed: number,
  output: WorkOutput,
  signal: AbortSignal,
): Promise<Workbench> {
  for (const note of model.notes) output.note(note);
  const guessed =
    options.data === undefined
      ? guessedText(model.inputs, options.sizes, await fittingSize(model.graph, model.inputs))
      : null;
  if (guessed !== null) output.note(guessed);
  // Whichever fails first, the other one is waited for and closed.
  const opening = await Promise.allSettled([
    options.data === undefined
      ? null
      : readSamples(
          options.data,
          {
            inputs: model.inputs,
            constants: model.constants,
            preprocess: options.preprocess,
            seed,
          },
          output,
          signal,
        ),
    startEngines(
      targets,
      options.timeBudgetMs && Math.max(leastPatienceMs, options.timeBudgetMs / 2),
      signal,
    ),
  ]);
  const [data, engines] = opening;
  const dispose = async (): Promise<void> => {
    if (data.status === "fulfilled") await data.value?.dispose();
    if (engines.status === "fulfilled") await engines.value.dispose();
  };
  try {
    if (data.status === "rejected") throw data.reason;
    if (engines.status === "rejected") throw engines.reason;
    for (const note of engines.value.notes) output.note(note);
    for (const { target, reason } of engines.value.skipped)
      output.note(`skipped ${target}: ${reason}`);
    throwIfAborted(signal);
    return {
      data: data.value,
      engines: engines.value,
      evaluation: await prepareEvaluation(
        model,
        data.value,
        { metric: options.metric },
        seed,
        engines.value.reference,
        { sizes: options.sizes, synthetic: options.synthetic, signal },
      ).catch((error: unknown) => {
        throw asRefusal(error);
      }),
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** A model under which an engine ends, or no longer answers, before anything is measured is not to be had: no fault of Pare's. */
function asRefusal(error: unknown): unknown {
  if (!isPareError(error) || error.code !== "ENGINE_CRASHED") return error;
  const { message, where, hint, cause } = error;
  return new PareError("ENGINE", message, { where, hint, cause });
}

/** Nothing is timed while an engine starts: it is compiled on all processors. */
async function startEngines(
  targets: readonly TargetName[],
  patienceMs: number | undefined,
  signal: AbortSignal,
): Promise<Engines> {
  const engines = await openEngines(targets, { patienceMs, signal });
  // Where one does not start, its first model will say why.
  await Promise.allSettled([...engines.hosts.values()].map((host) => host.prepare({ signal })));
  return engines;
}
