import type { ReportCheck } from "@pare/runtime/format";
import { checkReports, writeReports } from "../../report/report-files.js";
import { summaryText } from "../../report/summary.js";
import type { VerbContext } from "../../terminal/verb.js";
import { parseTargets } from "../../workbench/engines.js";
import type { MeasureVerbOptions } from "../../workbench/measure-options.js";
import { parseManyShapes } from "../../workbench/shape-options.js";
import { optimizeModel } from "./optimize-model.js";
import { type OptimizeOptions, parsePreference } from "./optimize-options.js";

export interface OptimizeVerbOptions extends MeasureVerbOptions {
  readonly recipe: string;
  readonly maxDrop?: number;
  readonly maxSize?: number;
  readonly maxLatency?: number;
  readonly prefer: string;
  /** Milliseconds. */
  readonly timeBudget?: number;
  /** `--no-cache` makes it false. */
  readonly cache: boolean;
  readonly synthetic?: boolean;
  readonly goldenFromData?: boolean;
  readonly frozen?: string;
  readonly like?: string;
  readonly output?: string;
}

/** `pare optimize`: the work, its reports where they were asked for, and a summary. */
export async function runOptimize(
  path: string,
  options: OptimizeVerbOptions,
  context: VerbContext,
): Promise<void> {
  const output = context.output(options);
  try {
    await checkReports(options.report);
    const { bundle, report, missed } = await optimizeModel(path, asOptions(options), {
      command: context.typed,
      // Since this process began: what a user waits for.
      now: () => performance.now(),
      signal: context.signal,
      output,
    });
    const lines = [
      summaryText(report, options),
      ...missed.map(missedText),
      `Wrote ${bundle}; report.html in it shows the whole picture.`,
      ...(report.nextStep === null ? [] : [`next: ${report.nextStep}`]),
    ];
    output.result(lines.join("\n\n"), { ...report, bundle });
    if (missed.length > 0) context.exit(3);
    await writeReports(report, options.report, output);
  } finally {
    output.settle();
  }
}

/** @throws PareError ARGUMENT for an unknown target or preference, and for a shape that is none */
function asOptions(options: OptimizeVerbOptions): OptimizeOptions {
  const { target, data, preprocess, metric, maxDrop, maxSize, maxLatency, timeBudget } = options;
  const { frozen, like, output } = options;
  const { shapes, dims, sizes, constants } = parseManyShapes(options);
  return {
    shapes,
    dims: { ...dims, ...sizes },
    constants,
    ...(target !== undefined && { target: parseTargets(target) }),
    ...(data !== undefined && { data }),
    ...(preprocess !== undefined && { preprocess }),
    ...(metric !== undefined && { metric }),
    recipe: options.recipe,
    ...(maxDrop !== undefined && { maxDrop }),
    ...(maxSize !== undefined && { maxSizeBytes: maxSize }),
    ...(maxLatency !== undefined && { maxLatencyMs: maxLatency }),
    prefer: parsePreference(options.prefer),
    ...(timeBudget !== undefined && { timeBudgetMs: timeBudget }),
    cache: options.cache,
    ...(options.synthetic && { synthetic: true }),
    ...(options.goldenFromData && { goldenFromData: true }),
    ...(frozen !== undefined && { frozen }),
    ...(like !== undefined && { like }),
    seed: options.seed,
    ...(output !== undefined && { output }),
  };
}

function missedText({ target, what, reason }: ReportCheck): string {
  return `missed: ${target}, ${what}: ${reason}`;
}
