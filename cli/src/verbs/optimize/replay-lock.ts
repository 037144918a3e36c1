import {
  checkLock,
  Fingerprints,
  isPreset,
  type Limits,
  type Lock,
  MeasuredActivations,
  replay,
  type ReplayRequest,
} from "@pare/compiler";
import { createMeasure } from "@pare/bench";
import { onnxArtifact, PareError, type Report, type TargetName } from "@pare/runtime/format";
import { loadBudgets } from "../../config/budgets.js";
import { version } from "../../terminal/package-facts.js";
import { refuse } from "../../terminal/refuse.js";
import { calibrationOn } from "../../workbench/calibration-samples.js";
import { parseTargets } from "../../workbench/engines.js";
import { examplesOf, splitHashes, trainingOf } from "../../workbench/evaluation.js";
import { fittingSize } from "../../workbench/fitting-size.js";
import { checkSizes } from "../../workbench/check-sizes.js";
import type { OpenedModel } from "../../workbench/opened-model.js";
import { guessedDims, syntheticSamples } from "../../workbench/synthetic-samples.js";
import { openWorkbench } from "../../workbench/workbench.js";
import { BundleWriter } from "./bundle-writer.js";
import type { Job } from "./job.js";
import {
  defaultMaxDrop,
  lockedConstants,
  type OptimizeOptions,
  shapesOf,
  sizesOf,
} from "./optimize-options.js";

/** Decided before: nothing is timed, and where there is no data no engine is asked either. */
export async function replayLock(path: string, lock: Lock, job: Job): Promise<Report> {
  const { model, folder, options, running } = job;
  const { signal, output } = running;
  checkAsDecided(lock, options);
  const targets = lockedTargets(lock, job);
  const limits = await limitsOf(path, targets, job);
  const bound = shapesOf(options);
  const original = await model.read();
  const asked = {
    modelSha256: original.sha256,
    shapes: bound.shapes,
    dims: bound.dims,
    constants: lockedConstants(bound),
    sizes: sizesOf(options),
  };
  checkLock(lock, asked);
  checkSizes(model, asked.sizes);
  const needsEngines = options.data !== undefined || lock.golden === null;
  const workbench = needsEngines
    ? await openWorkbench(
        model,
        targets.map(({ target }) => target),
        { ...options, sizes: asked.sizes },
        lock.seed,
        output,
        signal,
      )
    : null;
  try {
    if (workbench?.data) checkLock(lock, { ...asked, splits: splitHashes(workbench.evaluation) });
    const examples = workbench && examplesOf(workbench.evaluation, workbench.engines.reference);
    const fingerprints = new Fingerprints();
    const request: ReplayRequest & { readonly seed: number } = {
      graph: model.graph,
      original: onnxArtifact(original.bytes),
      originalSha256: original.sha256,
      recipe: { name: lock.recipe.name, summary: "", groups: [], propose: false },
      ...(examples && {
        activations: new MeasuredActivations(calibrationOn(examples), fingerprints),
        fingerprints,
        examples,
        training: trainingOf(workbench.evaluation, workbench.engines.reference),
      }),
      measure: sizesAlone(model, lock.seed),
      budget: { limits, prefer: lock.prefer, timeBudgetMs: null },
      seed: lock.seed,
      shapes: asked.shapes,
      dims: asked.dims,
      constants: asked.constants,
      sizes: asked.sizes,
      compiler: `pare ${version()}`,
      signal,
    };
    const optimized = await replay(request, { ...lock, targets });
    const rests = optimized.variants.map(({ evidence }) => evidence);
    const devices = workbench?.engines.answering ?? [];
    const shapes = workbench?.evaluation.shapes ?? (await guessedShapes(model));
    const writer = new BundleWriter({
      model,
      workbench,
      shapes,
      devices,
      request: { ...request, evidence: rests.find((one) => one !== "none") ?? "none" },
      folder,
      running,
    });
    return await writer.write(optimized);
  } finally {
    await workbench?.dispose();
  }
}

/**
 * What the command says otherwise than its defaults, next to what the lock was decided by.
 * @throws PareError ARGUMENT where they differ: it would count for nothing
 */
function checkAsDecided({ seed, prefer, recipe, targets }: Lock, options: OptimizeOptions): void {
  const metric = targets.find(({ accuracy }) => accuracy !== null)?.accuracy?.metric;
  // A recipe from a file has the name that the file gives it.
  const preset = options.recipe !== undefined && isPreset(options.recipe) ? options.recipe : "auto";
  type Said = string | number | undefined;
  const said: readonly (readonly [string, Said, Said, Said])[] = [
    ["--seed", options.seed ?? 0, seed, 0],
    ["--prefer", options.prefer ?? "latency", prefer, "latency"],
    ["--recipe", preset, recipe.name, "auto"],
    ["--metric", options.metric, metric, undefined],
  ];
  for (const [option, asked, decided, byDefault] of said)
    if (asked !== byDefault && decided !== undefined && asked !== decided)
      refuse(
        `${option} is ${asked}, and what --frozen repeats was decided by ${decided}.`,
        option,
        `Leave ${option} out, or run without --frozen.`,
      );
}

/** @throws PareError LOCK where a target is wanted that it does not decide */
function lockedTargets({ targets }: Lock, { options }: Job): Lock["targets"] {
  const wanted = options.target === undefined ? null : parseTargets(options.target);
  const missing = wanted?.find((name) => !targets.some(({ target }) => target === name));
  if (missing !== undefined)
    throw new PareError("LOCK", `The lock file has no decision for ${missing}.`, {
      hint: "Leave that target out, or run without --frozen.",
    });
  return targets.filter(({ target }) => wanted?.includes(target) ?? true);
}

/**
 * What the user allows, and of the metric else what was allowed when it was decided: the lock's figures are held against it.
 * @throws PareError ARGUMENT where a drop is limited and the lock has no accuracy
 */
async function limitsOf(
  path: string,
  targets: Lock["targets"],
  { model, options, running }: Job,
): Promise<(target: TargetName) => Limits> {
  const { maxDrop, maxSizeBytes, maxLatencyMs } = options;
  const unknown = targets.find(({ accuracy }) => accuracy === null);
  if (maxDrop !== undefined && unknown !== undefined)
    throw new PareError(
      "ARGUMENT",
      `--max-drop cannot be held: the lock file has no accuracy for ${unknown.target}.`,
      {
        where: "--max-drop",
        hint: "Run with --data and without --frozen, or leave --max-drop out.",
      },
    );
  const budgets = await loadBudgets(
    path,
    model.name,
    { maxDrop, maxSizeBytes, maxLatencyMs },
    { hasAccuracy: unknown === undefined, note: (text) => running.output.note(text) },
  );
  return (target) => {
    const locked = targets.find((one) => one.target === target);
    const given = budgets(target);
    return { ...given, maxDrop: given.maxDrop ?? locked?.maxDrop ?? defaultMaxDrop };
  };
}

/** Without an engine: files are compressed, and nothing is run. */
function sizesAlone({ inputs }: OpenedModel, seed: number): ReturnType<typeof createMeasure> {
  return createMeasure({
    hosts: new Map(),
    samples: syntheticSamples(inputs, seed),
    splits: { calibration: [], validation: [], test: [] },
    scorer: null,
    seed,
  });
}

async function guessedShapes({
  graph,
  inputs,
}: OpenedModel): Promise<Readonly<Record<string, readonly number[]>>> {
  const usual = await fittingSize(graph, inputs);
  return Object.fromEntries(inputs.map((info) => [info.name, guessedDims(info, {}, usual)]));
}
