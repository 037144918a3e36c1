import {
  Fingerprints,
  KeptActivations,
  MeasuredActivations,
  optimize,
  type OptimizeRequest,
} from "@pare/compiler";
import { createMeasure, measurableTargets } from "@pare/bench";
import { onnxArtifact, type Report } from "@pare/runtime/format";
import { openCache } from "../../cache/open-cache.js";
import { loadBudgets } from "../../config/budgets.js";
import { loadLock, loadRecipe } from "../../config/recipe.js";
import { sizesOfOne } from "../../data/sizes-seen.js";
import { hashData } from "../../data/module-hash.js";
import { twoLevelProgress } from "../../terminal/two-level-progress.js";
import { version } from "../../terminal/package-facts.js";
import { calibrationOn } from "../../workbench/calibration-samples.js";
import { calibrationSetting, earlierResults, settingOf } from "../../workbench/earlier-results.js";
import { parseTargets } from "../../workbench/engines.js";
import { examplesOf, samplesFor, splitHashes, trainingOf } from "../../workbench/evaluation.js";
import { openWorkbench, type Workbench } from "../../workbench/workbench.js";
import { BundleWriter } from "./bundle-writer.js";
import type { Job } from "./job.js";
import { moduleSizesText, severalSizesText } from "./module-sizes.js";
import { planText } from "./plan-text.js";
import { sharedNumbers } from "./shared-numbers.js";
import { defaultMaxDrop, lockedConstants, shapesOf, sizesOf } from "./optimize-options.js";

/** Tries what the targets can gain from, and writes each improvement into the folder at once. */
export async function searchModel(path: string, job: Job): Promise<Report> {
  const { model, folder, options, running } = job;
  const { signal, output, now } = running;
  const { seed = 0, cache: keeps = true } = options;
  const recipe = await loadRecipe(options.recipe ?? "auto");
  const like = options.like === undefined ? undefined : await loadLock(options.like);
  const targets = parseTargets(options.target, measurableTargets);
  const { maxDrop, maxSizeBytes, maxLatencyMs } = options;
  const budgets = await loadBudgets(
    path,
    model.name,
    { maxDrop, maxSizeBytes, maxLatencyMs },
    { hasAccuracy: options.data !== undefined, note: (text) => output.note(text) },
  );
  let workbench: Workbench | null = null;
  try {
    const read = Promise.all([
      model.read(),
      openCache({ cache: keeps, onNote: (line) => output.note(line) }),
    ]);
    // Done while the engines start; a failure is told below, where they did.
    read.catch(() => {});
    const moduleBefore = await hashData(options.data);
    workbench = await openWorkbench(
      model,
      targets,
      { ...options, sizes: sizesOf(options) },
      seed,
      output,
      signal,
    );
    const { engines, evaluation } = workbench;
    const [original, cache] = await read;
    if (targets.includes("aot")) {
      const free = await moduleSizesText(
        model.graph,
        sizesOf(options),
        workbench.data?.samples.sizes ?? sizesOfOne(evaluation.shapes),
        options.data === undefined,
      );
      if (free !== null) output.note(free);
    }
    if (evaluation.evidence === "synthetic" && evaluation.report.caveat !== null)
      output.note(evaluation.report.caveat);
    const several = severalSizesText(sizesOf(options), targets, evaluation.shapes);
    if (several !== null) output.note(several);
    const setting = await settingOf(workbench, options.data, moduleBefore);
    const examples = examplesOf(evaluation, engines.reference);
    const progress = twoLevelProgress(output, now);
    const asked = shapesOf(options);
    const measure = createMeasure({
      hosts: engines.hosts,
      samples: evaluation.samples,
      splits: evaluation.splits,
      scorer: evaluation.scorer,
      seed,
      earlier: earlierResults(cache, setting),
      onProgress: progress.phase,
    });
    const fingerprints = new Fingerprints();
    const request: OptimizeRequest = {
      graph: model.graph,
      original: onnxArtifact(original.bytes),
      originalSha256: original.sha256,
      recipe,
      devices: engines.devices,
      answering: engines.answering,
      evidence: evaluation.evidence,
      ...(examples !== undefined && {
        activations: new KeptActivations(
          new MeasuredActivations(calibrationOn(examples), fingerprints),
          cache,
          // Read and written whole: of this model alone.
          { setting: calibrationSetting(setting, engines.reference), model: original.sha256 },
          fingerprints,
        ),
        fingerprints,
        examples,
        training: trainingOf(evaluation, engines.reference),
        kept: { cache, setting: calibrationSetting(setting, engines.reference) },
      }),
      ...(like && { like }),
      measure,
      budget: {
        limits(target) {
          const { maxDrop = defaultMaxDrop, maxSizeBytes, maxLatencyMs } = budgets(target);
          return { maxDrop, maxSizeBytes, maxLatencyMs };
        },
        prefer: options.prefer ?? "latency",
        timeBudgetMs: options.timeBudgetMs ?? null,
      },
      clock: { now },
      seed,
      splits: splitHashes(evaluation),
      shapes: asked.shapes,
      dims: asked.dims,
      constants: lockedConstants(asked),
      sizes: sizesOf(options),
      compiler: `pare ${version()}`,
      signal,
      onPlan: (plan) => output.note(planText(plan)),
      onProgress: progress.step,
      onImproved: (done) => writer.keep(done),
    };
    const devices = engines.answering.map((device) => ({
      ...device,
      executor: measure.executor(device.target),
    }));
    const { shapes, splits } = evaluation;
    const given = samplesFor(model.inputs, evaluation);
    const writer = new BundleWriter({
      ...(workbench.data !== null && {
        shared: await sharedNumbers(model.inputs, given, splits.validation),
      }),
      ...(options.goldenFromData && {
        sample: (await given.sample(splits.validation[0] ?? 0)).feeds,
      }),
      model,
      workbench,
      shapes,
      devices,
      request,
      folder,
      running,
    });
    const optimized = await optimize(request).catch((error: unknown) => {
      if (signal.aborted && writer.kept !== null)
        output.note(`Stopped. ${folder} holds ${writer.kept}.`);
      throw error;
    });
    return await writer.write(optimized);
  } finally {
    await workbench?.dispose();
  }
}
