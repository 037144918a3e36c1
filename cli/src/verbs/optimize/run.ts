import {
  checkLock,
  type Lock,
  KeptActivations,
  MeasuredActivations,
  optimize,
  type Optimized,
  type OptimizeRequest,
  type PlanSummary,
  replay,
} from "@pare/compiler";
import { createMeasure } from "@pare/bench";
import { onnxArtifact, PareError, type ReportCheck } from "@pare/runtime/format";
import { openCache } from "../../cache/open-cache.js";
import { loadBudgets } from "../../config/budgets.js";
import { loadLock, loadRecipe } from "../../config/recipe.js";
import { checkBundlePlace, whileWriting } from "../../platform/write-bundle.js";
import { checkReportFormats, writeReports } from "../../report/report-files.js";
import { summaryText } from "../../report/summary.js";
import type { Output } from "../../terminal/output.js";
import { twoLevelProgress } from "../../terminal/two-level-progress.js";
import type { VerbContext } from "../../terminal/verb.js";
import { version } from "../../terminal/version.js";
import { calibrationOn } from "../../workbench/calibration-samples.js";
import { calibrationSetting, earlierResults, settingOf } from "../../workbench/earlier-results.js";
import { parseTargets } from "../../workbench/engines.js";
import { examplesOf, splitHashes } from "../../workbench/evaluation.js";
import type { MeasureVerbOptions } from "../../workbench/measure-options.js";
import { checkMeasureOptions, type Workbench, openWorkbench } from "../../workbench/workbench.js";
import { parseShapes } from "../../workbench/shape-options.js";
import { openModel, type OpenedModel } from "../../workbench/opened-model.js";
import { BundleWriter } from "./bundle-writer.js";

export interface OptimizeOptions extends MeasureVerbOptions {
  readonly recipe: string;
  readonly maxDrop?: number;
  readonly maxSize?: number;
  readonly maxLatency?: number;
  readonly prefer: string;
  /** Milliseconds. */
  readonly timeBudget?: number;
  /** `--no-cache` makes it false. */
  readonly cache: boolean;
  readonly frozen?: string;
  readonly like?: string;
  readonly output?: string;
}

const defaultMaxDrop = 0.01;

/** `pare optimize`: data, engines and measure handed to the compiler; bundle, reports and a summary made of what it decides. */
export async function runOptimize(
  path: string,
  options: OptimizeOptions,
  context: VerbContext,
): Promise<void> {
  const output = context.output(options);
  checkOptions(options);
  const lock = options.frozen === undefined ? null : await loadLock(options.frozen);
  const model = await openModel(path, parseShapes(options), context.signal);
  try {
    const folder = options.output ?? `${model.name}.pare`;
    await checkBundlePlace(folder);
    await whileWriting(folder, () =>
      lock === null
        ? search(model, folder, options, context, output)
        : replayLock(lock, model, folder, options, context, output),
    );
  } finally {
    output.settle();
    model.close();
  }
}

async function search(
  model: OpenedModel,
  folder: string,
  options: OptimizeOptions,
  context: VerbContext,
  output: Output,
): Promise<void> {
  const { signal } = context;
  const recipe = await loadRecipe(options.recipe);
  const like = options.like === undefined ? undefined : await loadLock(options.like);
  const targets = parseTargets(options.target);
  const { seed } = options;
  const budgets = await loadBudgets(model.path, model.name, {
    maxDrop: options.maxDrop,
    maxSizeBytes: options.maxSize,
    maxLatencyMs: options.maxLatency,
  });
  let workbench: Workbench | null = null;
  try {
    const read = Promise.all([
      model.read(),
      openCache({ cache: options.cache, onNote: (line) => output.note(line) }),
    ]);
    // Done while the engines start; a failure is told below, where they did.
    read.catch(() => {});
    workbench = await openWorkbench(model, targets, options, seed, output, signal);
    const { engines, evaluation } = workbench;
    const [original, cache] = await read;
    const setting = await settingOf(workbench, options.data);
    const examples = examplesOf(evaluation, engines.reference);
    const progress = twoLevelProgress(output);
    const shapes = parseShapes(options);
    const measure = createMeasure({
      hosts: engines.hosts,
      samples: evaluation.samples,
      splits: evaluation.splits,
      scorer: evaluation.scorer,
      seed,
      earlier: earlierResults(cache, setting),
      onProgress: progress.phase,
    });
    const request: OptimizeRequest = {
      graph: model.graph,
      original: onnxArtifact(original.bytes),
      originalSha256: original.sha256,
      recipe,
      devices: engines.devices,
      evidence: evaluation.evidence,
      ...(examples !== undefined && {
        activations: new KeptActivations(
          new MeasuredActivations(calibrationOn(examples)),
          cache,
          calibrationSetting(setting, engines.reference),
        ),
        examples,
        kept: { cache, setting: calibrationSetting(setting, engines.reference) },
      }),
      ...(like && { like }),
      measure,
      budget: {
        limits(target) {
          const { maxDrop = defaultMaxDrop, maxSizeBytes, maxLatencyMs } = budgets(target);
          return { maxDrop, maxSizeBytes, maxLatencyMs };
        },
        prefer: options.prefer === "size" ? "size" : "latency",
        timeBudgetMs: options.timeBudget ?? null,
      },
      // Since this process began: what a user waits for.
      clock: { now: () => performance.now() },
      seed,
      splits: splitHashes(evaluation),
      shapes: shapes.shapes,
      constants: lockedConstants(shapes.constants),
      compiler: `pare ${version()}`,
      signal,
      onPlan: (plan) => output.note(planText(plan)),
      onProgress: progress.step,
      onImproved: (done) => writer.keep(done),
    };
    const writer = new BundleWriter({
      model,
      workbench,
      devices: engines.devices.map((device) => ({
        ...device,
        executor: measure.executor(device.target),
      })),
      request,
      typed: context.typed,
      folder,
      output,
    });
    const optimized = await optimize(request).catch((error: unknown) => {
      if (signal.aborted && writer.kept !== null)
        output.note(`Stopped. ${folder} holds what was best so far: ${writer.kept}.`);
      throw error;
    });
    await tell(optimized, writer, options, context, output);
  } finally {
    await workbench?.dispose();
  }
}

/** Decided before: nothing is timed, and where there is no data nothing is measured either. */
async function replayLock(
  lock: Lock,
  model: OpenedModel,
  folder: string,
  options: OptimizeOptions,
  context: VerbContext,
  output: Output,
): Promise<void> {
  const { signal } = context;
  const wanted = options.target === undefined ? null : parseTargets(options.target);
  const missing = wanted?.find((name) => !lock.targets.some(({ target }) => target === name));
  if (missing !== undefined)
    throw new PareError("LOCK", `The lock file has no decision for ${missing}.`, {
      hint: "Leave that target out, or run without --frozen.",
    });
  const targets = lock.targets.filter(({ target }) => wanted?.includes(target) ?? true);
  const shapes = parseShapes(options);
  const original = await model.read();
  const asked = {
    modelSha256: original.sha256,
    shapes: shapes.shapes,
    constants: lockedConstants(shapes.constants),
  };
  checkLock(lock, asked);
  const needsEngines = options.data !== undefined || lock.golden === null;
  const workbench = needsEngines
    ? await openWorkbench(
        model,
        targets.map(({ target }) => target),
        options,
        lock.seed,
        output,
        signal,
      )
    : null;
  try {
    if (workbench?.data) checkLock(lock, { ...asked, splits: splitHashes(workbench.evaluation) });
    const examples = workbench && examplesOf(workbench.evaluation, workbench.engines.reference);
    const request: OptimizeRequestOfReplay = {
      graph: model.graph,
      original: onnxArtifact(original.bytes),
      originalSha256: original.sha256,
      recipe: { name: lock.recipe.name, summary: "", groups: [], propose: false },
      evidence: workbench?.evaluation.evidence ?? (targets.some(hasAccuracy) ? "labelled" : "none"),
      ...(examples && {
        activations: new MeasuredActivations(calibrationOn(examples)),
        examples,
      }),
      budget: {
        limits: (target) => ({
          maxDrop: targets.find((one) => one.target === target)?.maxDrop ?? defaultMaxDrop,
        }),
        prefer: lock.prefer,
        timeBudgetMs: null,
      },
      seed: lock.seed,
      shapes: asked.shapes,
      constants: asked.constants,
      compiler: `pare ${version()}`,
      signal,
    };
    const optimized = await replay(request, { ...lock, targets });
    const writer = new BundleWriter({
      model,
      workbench,
      devices: workbench?.engines.devices ?? [],
      request,
      typed: context.typed,
      folder,
      output,
    });
    await tell(optimized, writer, options, context, output);
  } finally {
    await workbench?.dispose();
  }
}

type OptimizeRequestOfReplay = Parameters<typeof replay>[0] & { readonly seed: number };

function hasAccuracy({ accuracy }: Lock["targets"][number]): boolean {
  return accuracy !== null;
}

async function tell(
  optimized: Optimized,
  writer: BundleWriter,
  options: OptimizeOptions,
  context: VerbContext,
  output: Output,
): Promise<void> {
  const { folder, report } = await writer.write(optimized, context.signal);
  await writeReports(report, options.report, output);
  const missed = (report.checks ?? []).filter(({ outcome }) => outcome === "missed");
  const lines = [
    summaryText(report),
    ...missed.map(missedText),
    `Wrote ${folder}; report.html in it shows the whole picture.`,
    ...(report.nextStep === null ? [] : [`next: ${report.nextStep}`]),
  ];
  output.result(lines.join("\n\n"), { ...report, bundle: folder });
  if (missed.length > 0) context.exit(3);
}

function planText({ lowMs, highMs, budgetMs, tooShort, targets }: PlanSummary): string {
  const each = targets.map(({ target, candidates, validation, test, ofTest }) => {
    const tested = test < ofTest ? `${test} of ${ofTest}` : String(test);
    return `${target}: ${candidates} to try on ${validation} samples, ${tested} to test on`;
  });
  const range = `${Math.round(lowMs / 1000)} to ${Math.round(highMs / 1000)} s in all`;
  const short = tooShort
    ? ` This is less than the cheapest sound plan takes: the bundle will hold little more than the float model.`
    : "";
  return `Plan: about ${range}, of ${Math.round(budgetMs / 1000)} s (--time-budget). ${each.join("; ")}.${short}`;
}

function checkOptions(options: OptimizeOptions): void {
  if (options.maxDrop !== undefined && options.data === undefined && options.frozen === undefined) {
    throw new PareError(
      "ARGUMENT",
      "--max-drop needs --data: without data no drop can be measured.",
      { where: "--max-drop", hint: "Add --data, or leave --max-drop out." },
    );
  }
  if (options.like !== undefined && options.frozen !== undefined) {
    throw new PareError("ARGUMENT", "--like and --frozen exclude each other.", {
      where: "--like",
      hint: "--frozen repeats what was decided; --like decides anew, and begins with it.",
    });
  }
  if (options.prefer !== "latency" && options.prefer !== "size") {
    throw new PareError("ARGUMENT", `--prefer is "${options.prefer}".`, {
      where: "--prefer",
      hint: "Say latency or size.",
    });
  }
  checkMeasureOptions(options);
  checkReportFormats(options.report);
}

function missedText({ target, what, reason }: ReportCheck): string {
  return `missed: ${target}, ${what}: ${reason}`;
}

function lockedConstants(
  constants: ReturnType<typeof parseShapes>["constants"],
): Lock["constants"] {
  return Object.fromEntries(
    Object.entries(constants).map(([name, value]) => [name, JSON.stringify(value)]),
  );
}
