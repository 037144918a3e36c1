import { checkLock, Fingerprints, type Lock, MeasuredActivations, replay } from "@pare/compiler";
import { onnxArtifact, PareError, type Report } from "@pare/runtime/format";
import { version } from "../../terminal/package-facts.js";
import { calibrationOn } from "../../workbench/calibration-samples.js";
import { parseTargets } from "../../workbench/engines.js";
import { examplesOf, splitHashes, trainingOf } from "../../workbench/evaluation.js";
import { fittingSize } from "../../workbench/fitting-size.js";
import type { OpenedModel } from "../../workbench/opened-model.js";
import { guessedDims } from "../../workbench/synthetic-samples.js";
import { openWorkbench } from "../../workbench/workbench.js";
import { BundleWriter } from "./bundle-writer.js";
import type { Job } from "./job.js";
import { defaultMaxDrop, lockedConstants, shapesOf, sizesOf } from "./optimize-options.js";

/** Decided before: nothing is timed, and where there is no data nothing is measured either. */
export async function replayLock(lock: Lock, job: Job): Promise<Report> {
  const { model, folder, options, running } = job;
  const { signal, output } = running;
  const wanted = options.target === undefined ? null : parseTargets(options.target);
  const missing = wanted?.find((name) => !lock.targets.some(({ target }) => target === name));
  if (missing !== undefined)
    throw new PareError("LOCK", `The lock file has no decision for ${missing}.`, {
      hint: "Leave that target out, or run without --frozen.",
    });
  const targets = lock.targets.filter(({ target }) => wanted?.includes(target) ?? true);
  const bound = shapesOf(options);
  const original = await model.read();
  const asked = {
    modelSha256: original.sha256,
    shapes: bound.shapes,
    constants: lockedConstants(bound),
    sizes: sizesOf(options),
  };
  checkLock(lock, asked);
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
    const request: ReplayOf = {
      graph: model.graph,
      original: onnxArtifact(original.bytes),
      originalSha256: original.sha256,
      recipe: { name: lock.recipe.name, summary: "", groups: [], propose: false },
      evidence: workbench?.evaluation.evidence ?? (targets.some(hasAccuracy) ? "labelled" : "none"),
      ...(examples && {
        activations: new MeasuredActivations(calibrationOn(examples), fingerprints),
        fingerprints,
        examples,
        training: trainingOf(workbench.evaluation, workbench.engines.reference),
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
      sizes: asked.sizes,
      compiler: `pare ${version()}`,
      signal,
    };
    const optimized = await replay(request, { ...lock, targets });
    const devices = workbench?.engines.devices ?? [];
    const shapes = workbench?.evaluation.shapes ?? (await guessedShapes(model));
    const writer = new BundleWriter({
      model,
      workbench,
      shapes,
      devices,
      request,
      folder,
      running,
    });
    return await writer.write(optimized);
  } finally {
    await workbench?.dispose();
  }
}

async function guessedShapes({
  graph,
  inputs,
}: OpenedModel): Promise<Readonly<Record<string, readonly number[]>>> {
  const usual = await fittingSize(graph, inputs);
  return Object.fromEntries(inputs.map((info) => [info.name, guessedDims(info, {}, usual)]));
}

type ReplayOf = Parameters<typeof replay>[0] & { readonly seed: number };

function hasAccuracy({ accuracy }: Lock["targets"][number]): boolean {
  return accuracy !== null;
}
