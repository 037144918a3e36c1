import { type Lock, optimize, type Optimized, type OptimizeRequest } from "@pare/compiler";
import { createMeasure } from "@pare/bench";
import { PareError, type ReportCheck } from "@pare/runtime/format";
import { checkBundlePlace } from "../../platform/write-bundle.js";
import { loadBudgets } from "../../config/budgets.js";
import { parseTargets } from "../../workbench/engines.js";
import { calibrationOf, splitHashes } from "../../workbench/material.js";
import { loadLock, loadRecipe } from "../../config/recipe.js";
import { checkMeasureOptions, type Setup, setUp } from "../../workbench/setup.js";
import { parseShapes } from "../../workbench/shape-options.js";
import { openSubject } from "../../workbench/subject.js";
import { twoLevelProgress } from "../../terminal/two-level-progress.js";
import type { VerbContext } from "../../terminal/verb.js";
import { version } from "../../terminal/version.js";
import { checkReportFormats, writeReports } from "../../report/report-files.js";
import { summaryText } from "../../report/summary.js";
import { BundleWriter } from "./bundle-writer.js";
import type { MeasureVerbOptions } from "../../workbench/measure-options.js";

export interface OptimizeOptions extends MeasureVerbOptions {
  readonly recipe: string;
  readonly maxDrop?: number;
  readonly maxSize?: number;
  readonly maxLatency?: number;
  readonly prefer: string;
  readonly timeBudget: number;
  /** `--no-cache` makes it false. */
  readonly cache: boolean;
  readonly frozen?: string;
  readonly output?: string;
}

/** `pare optimize`: data, engines and measure handed to the compiler; bundle, reports and a summary made of what it decides. */
export async function runOptimize(
  path: string,
  options: OptimizeOptions,
  context: VerbContext,
): Promise<void> {
  const output = context.output(options);
  const { signal } = context;
  checkOptions(options);
  const lock = options.frozen === undefined ? null : await loadLock(options.frozen);
  const recipe = await loadRecipe(lock?.recipe ?? options.recipe);
  const targets = parseTargets(options.target ?? lock?.targets.map(({ target }) => target));
  const seed = lock?.seed ?? options.seed;
  const shapes = parseShapes(options);
  const subject = await openSubject(path, shapes, signal);
  let setup: Setup | null = null;
  try {
    const budgets = await loadBudgets(path, subject.name, {
      maxDrop: options.maxDrop ?? lock?.maxDrop,
      maxSizeBytes: options.maxSize,
      maxLatencyMs: options.maxLatency,
    });
    const folder = options.output ?? `${subject.name}.pare`;
    await checkBundlePlace(folder);
    setup = await setUp(subject, targets, options, seed, output, signal);
    const { data, engines, material } = setup;
    const original = await subject.read();
    const calibration = calibrationOf(material, engines.reference);
    const { maxDrop = 0.01, maxSizeBytes, maxLatencyMs } = budgets(null);
    const progress = twoLevelProgress(output);
    let best: Optimized | null = null;
    const request: OptimizeRequest = {
      graph: subject.graph,
      original: original.bytes,
      originalSha256: original.sha256,
      recipe,
      devices: engines.devices,
      evidence: material.evidence,
      ...(calibration !== undefined && { calibration }),
      measure: createMeasure({
        hosts: engines.hosts,
        samples: material.samples,
        splits: material.splits,
        scorer: material.scorer,
        seed,
        onProgress: progress.phase,
      }),
      budget: {
        maxDrop,
        ...(maxSizeBytes !== undefined && { maxSizeBytes }),
        ...(maxLatencyMs !== undefined && { maxLatencyMs }),
        prefer: options.prefer === "size" ? "size" : "latency",
        timeBudgetMs: options.timeBudget,
      },
      seed,
      splits: await splitHashes(data),
      shapes: shapes.shapes,
      constants: lockedConstants(shapes.constants),
      ...(lock !== null && { frozen: lock }),
      compiler: `pare ${version()}`,
      signal,
      onProgress: progress.step,
      onTarget: async (done) => void (best = done),
    };
    const writer = new BundleWriter({
      subject,
      setup,
      request,
      budgets,
      typed: context.typed,
      folder,
      output,
    });
    const optimized = await optimize(request).catch(async (error: unknown) => {
      // Ctrl-C: what is complete so far is kept.
      if (signal.aborted && best !== null && best.variants.length > 0) await writer.keep(best);
      throw error;
    });
    const { folder: written, report } = await writer.write(optimized, signal);
    await writeReports(report, options.report, output);
    const missed = (report.checks ?? []).filter(({ outcome }) => outcome === "missed");
    const lines = [
      summaryText(report),
      ...missed.map(missedText),
      `Wrote ${written}; report.html in it shows the whole picture.`,
      ...(report.nextStep === null ? [] : [`next: ${report.nextStep}`]),
    ];
    output.result(lines.join("\n\n"), { ...report, bundle: written });
    if (missed.length > 0) context.exit(3);
  } finally {
    output.settle();
    await setup?.dispose();
    subject.close();
  }
}

function checkOptions(options: OptimizeOptions): void {
  if (options.maxDrop !== undefined && options.data === undefined && options.frozen === undefined) {
    throw new PareError(
      "ARGUMENT",
      "--max-drop needs --data: without data no drop can be measured.",
      { where: "--max-drop", hint: "Add --data, or leave --max-drop out." },
    );
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
