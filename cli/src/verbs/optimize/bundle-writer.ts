import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  assembleBundle,
  combinedSizes,
  countMacs,
  countParameters,
  findTarget,
  GoldenRecorder,
  type Optimized,
  type OptimizeRequest,
  reportOf,
  type ReplayRequest,
  type TargetDevice,
  variantId,
} from "@pare/compiler";
import { findDisagreements, orRefusal } from "@pare/bench";
import {
  type Disagreement,
  type GoldenChoice,
  goldenInputs,
  type Manifest,
  type Report,
  type ReportCheck,
  type ReportRow,
  type SessionOptions,
  type Tensors,
} from "@pare/runtime/format";
import { budgetChecks } from "../../config/budgets.js";
import { readManifest } from "../../platform/bundle-files.js";
import { folderSink } from "../../platform/write-bundle.js";
import { nextStep } from "../../report/next-step.js";
import { restsOn } from "../../report/rests-on.js";
import { withoutPlaces } from "../../report/without-places.js";
import { bundleReports } from "../../report/report-files.js";
import { version } from "../../terminal/package-facts.js";
import { environment, measuredOn, saturatesOn } from "../../workbench/engines.js";
import { choiceOf, noiseOf } from "../../workbench/noise-of.js";
import type { Workbench } from "../../workbench/workbench.js";
import type { OpenedModel } from "../../workbench/opened-model.js";
import type { Running } from "./job.js";
import { goldenSample } from "./golden-sample.js";
import { requirementChecks } from "./requirement-checks.js";

interface BundleWriterOptions {
  readonly model: OpenedModel;
  /** Null where a lock is replayed without data: no engine is there, and none is needed. */
  readonly workbench: Workbench | null;
  /** Dims of the inputs, as the first sample has them, or as they are guessed. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  /** What of the golden check's inputs is no noise: how the model is called. */
  readonly shared?: Readonly<Record<string, GoldenChoice>>;
  /** What the golden check is on; noise where not given. */
  readonly sample?: Tensors;
  /** What runs the golden check; none where the lock brings it. */
  readonly devices: readonly TargetDevice[];
  readonly request: ReplayRequest & Pick<OptimizeRequest, "evidence" | "seed">;
  readonly folder: string;
  readonly running: Running;
}

/** Puts what was decided into a folder: variants, manifest, golden check, lock and reports. */
export class BundleWriter {
  readonly #options: BundleWriterOptions;
  readonly #golden: GoldenRecorder;
  /** What the folder holds, in a few words; null before anything was found. */
  kept: string | null = null;

  constructor(options: BundleWriterOptions) {
    this.#options = options;
    const { model, shapes, request, sample, shared = {} } = options;
    const noise = noiseOf(model.graph);
    const caseOf = (sizes: Readonly<Record<string, number>>) => {
      const dims = model.inputs.map((info) => {
        const usual = Object.hasOwn(shapes, info.name) ? shapes[info.name] : undefined;
        const own = info.dims.map((dim, axis) => {
          const wanted = typeof dim === "string" && Object.hasOwn(sizes, dim) ? sizes[dim] : null;
          return wanted ?? usual?.[axis] ?? 1;
        });
        const given = Object.hasOwn(shared, info.name) ? shared[info.name] : undefined;
        return [info.name, { dims: own, ...choiceOf(noise, info.name), ...given }] as const;
      });
      return goldenInputs(model.inputs, request.seed, Object.fromEntries(dims));
    };
    const [first = {}, ...others] = combinedSizes(request.sizes ?? {});
    this.#golden = new GoldenRecorder(
      options.devices,
      sample === undefined
        ? caseOf(first)
        : goldenInputs(model.inputs, request.seed, goldenSample(sample)),
      request.seed,
      others.map(caseOf),
    );
  }

  /** What is best so far, without looking for what disagrees: so that nothing is lost, whenever the work ends. */
  async keep(optimized: Optimized): Promise<void> {
    const { improvements = [] } = optimized.time ?? {};
    const earlier = await this.#earlier();
    // What an earlier run made of this model is worth more than the model as it is, and what it tested than what is not yet.
    if (earlier !== null && (improvements.length === 0 || loses(earlier, optimized))) {
      this.kept = `what an earlier run found: ${earlier.variants.map(({ id }) => id).join(", ")}`;
      return;
    }
    if (earlier === null || !(await this.#holds(earlier, optimized)))
      await this.#write(optimized, [], true);
    const found = optimized.variants.map(({ target, name }) => `${target} ${name}`);
    this.kept = `what was best so far: ${found.join(", ")}`;
  }

  /** What the folder says it holds of this model. */
  async #earlier(): Promise<Manifest | null> {
    const { folder, request } = this.#options;
    const found = await readManifest(resolve(folder)).catch(() => null);
    return found?.source.sha256 === request.originalSha256 ? found : null;
  }

  /** Who goes on finds what he left: the same files need no writing. */
  async #holds(earlier: Manifest, { variants }: Optimized): Promise<boolean> {
    const there = earlier.variants.map(({ id, session, files }) => contentOf(id, session, files));
    const wanted = variants.map((one) =>
      contentOf(variantId(one), one.artifact.session, one.files),
    );
    if (there.sort().join() !== wanted.sort().join()) return false;
    const found = earlier.variants.flatMap(({ files }) =>
      files.map(async ({ path, bytes }) => {
        const { size } = await stat(join(this.#options.folder, path));
        return size === bytes;
      }),
    );
    const areThere = await Promise.all(found).catch(() => [false]);
    return areThere.every(Boolean);
  }

  async write(optimized: Optimized): Promise<Report> {
    const { output, signal } = this.#options.running;
    output.progress(1, "writing the bundle");
    const report = await this.#write(
      optimized,
      await this.#disagreements(optimized, signal),
      false,
    );
    if (this.#golden.isEmpty)
      output.note(
        "In no noise does this model find anything, and devices are held to that alone: the golden check sees whether a variant runs, and hardly whether it is right.",
      );
    return report;
  }

  async #write(
    optimized: Optimized,
    disagreements: readonly Disagreement[],
    provisional: boolean,
  ): Promise<Report> {
    const { model, request, folder } = this.#options;
    const { name, inputs, outputs, graph, sizeBytes } = model;
    const report = this.#report(optimized, disagreements, provisional);
    const files = await assembleBundle({
      name,
      optimized,
      inputs,
      outputs,
      golden: this.#golden,
      provisional,
      source: {
        bytes: sizeBytes,
        sha256: request.originalSha256,
        parameters: countParameters(graph),
        macs: countMacs(graph),
      },
      createdBy: `pare ${version()}`,
      measuredOn: optimized.time === null ? null : measuredOn(),
      extra: bundleReports(report),
    });
    await folderSink(resolve(folder)).write(files);
    return report;
  }

  #report(
    optimized: Optimized,
    disagreements: readonly Disagreement[],
    provisional: boolean,
  ): Report {
    const { model, workbench, request, running } = this.#options;
    // A replay says what was seen elsewhere, by another engine on another processor.
    const seenHere = optimized.time === null ? null : workbench;
    const report = reportOf(request, optimized, {
      model: model.path,
      command: running.command,
      createdAt: new Date().toISOString(),
      environment: seenHere === null ? {} : environment(seenHere.engines),
      shapes: workbench?.evaluation.shapes ?? {},
      data: this.#data(seenHere !== null),
      disagreements,
      nextStep:
        workbench === null
          ? null
          : provisional
            ? "The same command again: this was written while it searched. What it measured is kept."
            : nextStep(model, workbench.evaluation, optimized, request.budget),
    });
    const checks = report.variants.flatMap((row) => [
      ...(seenHere === null
        ? []
        : [
            {
              target: row.target,
              name: row.name,
              what: "loads",
              outcome: "passed",
              reason: `It loads and runs on ${row.engine}.`,
            } as const,
          ]),
      ...requirementChecks(row, request.recipe, optimized),
      ...(provisional && row.accuracy === null && report.data.test > 0 ? [untested(row)] : []),
      ...budgetChecks(row, request.budget.limits(row.target)),
    ]);
    // Nothing comes after but the files themselves.
    const time = report.time && { ...report.time, tookMs: running.now() };
    const saturates = seenHere && saturatesOn(seenHere.engines.devices);
    const variants = report.variants.map((row, index) => {
      const variant = optimized.variants[index];
      if (variant === undefined) return row;
      const settled = findTarget(variant.target).assumption?.(variant.graph, request.sizes);
      const note = settled ?? restsOn(variant, saturates);
      return note === null ? row : { ...row, restsOn: note };
    });
    return withoutPlaces({
      ...report,
      ...(time && { time }),
      variants,
      skipped: [...(workbench?.engines.skipped ?? []), ...report.skipped],
      checks,
    });
  }

  #data(isSeenHere: boolean): Report["data"] {
    const { workbench, request } = this.#options;
    const data = workbench?.evaluation.report ?? {
      source: null,
      calibration: 0,
      validation: 0,
      test: 0,
      seed: request.seed,
      caveat: null,
    };
    if (isSeenHere) return data;
    const decided = "Decided before: every figure is the lock file's.";
    return { ...data, caveat: [decided, ...(data.caveat === null ? [] : [data.caveat])].join(" ") };
  }

  async #disagreements(
    optimized: Optimized,
    signal: AbortSignal,
  ): Promise<readonly Disagreement[]> {
    const { workbench } = this.#options;
    const found: Disagreement[] = [];
    if (workbench === null) return found;
    const { engines, evaluation } = workbench;
    const { scorer } = evaluation;
    if (scorer === null) return found;
    for (const variant of optimized.variants) {
      const { accuracy } = variant.measurement;
      const host = accuracy === null ? undefined : engines.hosts.get(accuracy.measuredOn);
      if (host === undefined) continue;
      const more = await orRefusal(() =>
        findDisagreements({
          host,
          target: variant.target,
          variant: variantId(variant),
          artifact: variant.artifact,
          float: variant.reference,
          accuracy,
          samples: evaluation.samples,
          indexes: evaluation.splits.test,
          scorer,
          limit: 8,
          signal,
        }),
      );
      // What was decided stands, also where there is nothing to show beside it.
      if (typeof more !== "string") found.push(...more);
    }
    return found;
  }
}

function untested({ target, name }: ReportRow): ReportCheck {
  const reason = "Not tested yet: this was written while the search went on.";
  return { target, name, what: "accuracy", outcome: "inconclusive", reason };
}

/** Whether a target would have a variant that was not tested, or none, where it has one that was. */
function loses({ variants }: Manifest, { variants: found }: Optimized): boolean {
  const tested = new Set(
    found.flatMap(({ target, measurement: { accuracy } }) => (accuracy === null ? [] : [target])),
  );
  return variants.some(({ target, accuracy }) => accuracy !== null && !tested.has(target));
}

function contentOf(
  id: string,
  session: SessionOptions,
  files: readonly { sha256: string }[],
): string {
  return JSON.stringify([id, session, ...files.map(({ sha256 }) => sha256)]);
}
