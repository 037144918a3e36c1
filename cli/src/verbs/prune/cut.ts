import { encodeModel, type Graph, looksAtSamples } from "@pare/compiler";
import type { Accuracy } from "@pare/runtime/format";
import { prepareEvaluation } from "../../workbench/evaluation.js";
import type { KeepMetadataOptions } from "../../workbench/keep-metadata.js";
import {
  applySteps,
  type StepsRequest,
  writeSteps,
  type Written,
} from "../../workbench/run-steps.js";
import { openStepExamples } from "../../workbench/step-examples.js";
import {
  AccuracyTest,
  figureText,
  intervalText,
  testedText,
} from "../../workbench/training/tested-accuracy.js";

/** A model, and the steps that cut it. */
export type PruneRequest = Pick<StepsRequest, "model" | "steps" | "say" | "signal">;

/** What was written, and its graph. */
export interface Pruned extends Written {
  readonly graph: Graph;
  /** What its user may do next, said last; null where nothing is missing. */
  readonly next: string | null;
}

export interface CutOptions extends KeepMetadataOptions {
  readonly importance: string;
  /** Weights that read what was cut are fitted to samples. */
  readonly reconstruct: boolean;
  readonly metric?: string;
  readonly preprocess?: string;
  readonly seed: number;
  readonly output?: string;
  readonly check: boolean;
}

/** Cuts and writes. Nothing tells how right the model still is. */
export async function cut(request: PruneRequest, options: CutOptions): Promise<Pruned> {
  const written = await writeSteps(writing(request, options));
  const next =
    "How right it still is was not tested: --data tests it and fits what is left to samples, and --recover 3 beside it teaches it again.";
  return { ...written, graph: request.model.graph, next };
}

/** Cuts with samples at hand, and tests the model on others of them as it came and as it is written. */
export async function cutAndTest(
  request: PruneRequest,
  options: CutOptions & { readonly data: string },
): Promise<Pruned> {
  const { model, say, signal } = request;
  const { metric, seed } = options;
  await demandReach(request, options);
  const opened = await openStepExamples(options.data, options, model, request.steps, say, signal);
  try {
    const evaluation = await prepareEvaluation(model, opened.data, { metric }, seed, opened.host, {
      signal,
    });
    if (evaluation.note !== null) say.note(evaluation.note);
    const accuracy = new AccuracyTest(evaluation, opened.host, signal);
    const test = async (name: string, graph: Graph): Promise<void> =>
      accuracy.add({ name, bytes: (await encodeModel(graph)).proto }, (done) =>
        say.progress(done, "testing"),
      );
    await test("before", model.graph);
    const { examples, host } = opened;
    const { text, document } = await writeSteps({ ...writing(request, options), examples, host });
    await test("cut", model.graph);
    const { tested } = accuracy;
    return {
      graph: model.graph,
      text: [cutAccuracyText(tested), text].filter((line) => line !== null).join("\n"),
      next: isWorse(tested.get("cut")) ? "--recover 3 teaches it again." : null,
      document: {
        ...document,
        data: evaluation.report,
        accuracy: Object.fromEntries(tested),
      },
    };
  } finally {
    await opened.dispose();
  }
}

function writing(request: PruneRequest, { seed, output, check }: CutOptions): StepsRequest {
  return { ...request, seed, output, suffix: "pruned", check };
}

/**
 * Where it takes no samples to know, a wish that cannot be met is said before they are read.
 * @throws PareError as the pass `prune`
 */
export async function demandReach(
  request: PruneRequest,
  { importance, seed }: Pick<CutOptions, "importance" | "seed">,
): Promise<void> {
  if (looksAtSamples(importance)) return;
  const { model } = request;
  const steps = request.steps.map((step) => ({
    ...step,
    ...(step.use === "prune" && { with: { ...step.with, reconstruct: false } }),
  }));
  // What there is to note is noted when it is done.
  const say = { ...request.say, note: () => {} };
  await applySteps({
    ...request,
    say,
    model: { ...model, graph: model.graph.fork() },
    steps,
    seed,
  });
}

/** By more than chance, and more than a hundredth. */
export function isWorse(accuracy: Accuracy | undefined): boolean {
  return (accuracy?.dropInterval?.[0] ?? 0) > 0.01;
}

/** `top1 on 2004 test samples: 0.985 as it came, 0.41 cut, 0.981 (0.974 to 0.986) recovered.` */
export function cutAccuracyText(tested: ReadonlyMap<string, Accuracy>): string | null {
  const [before, after, recovered] = ["before", "cut", "recovered"].map((name) => tested.get(name));
  if (before === undefined || after === undefined) return null;
  const last = recovered ?? after;
  const came = `${testedText(last)}: ${figureText(before)} as it came`;
  return recovered === undefined
    ? `${came}, ${intervalText(after)} cut.`
    : `${came}, ${figureText(after)} cut, ${intervalText(recovered)} recovered.`;
}
