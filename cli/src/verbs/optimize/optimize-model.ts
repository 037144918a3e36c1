import type { Report, ReportCheck } from "@pare/runtime/format";
import { loadLock } from "../../config/recipe.js";
import { checkBundlePlace, whileWriting } from "../../platform/write-bundle.js";
import { checkSizes } from "../../workbench/check-sizes.js";
import { openModel } from "../../workbench/opened-model.js";
import type { Job, Running } from "./job.js";
import {
  checkOptions,
  type OptimizeOptions,
  shapesOf,
  sizesOf,
  withLocked,
} from "./optimize-options.js";
import { replayLock } from "./replay-lock.js";
import { searchModel } from "./search-model.js";

/** What came of it. */
export interface OptimizeResult {
  /** The bundle's folder. */
  readonly bundle: string;
  /** What is in it as report.json. */
  readonly report: Report;
  /** Budgets that were given and are not kept; the best that there is was written all the same. */
  readonly missed: readonly ReportCheck[];
}

/** Data, engines and measure handed to the compiler; a bundle with its reports made of what it decides. */
export async function optimizeModel(
  path: string,
  asked: OptimizeOptions,
  running: Running,
): Promise<OptimizeResult> {
  checkOptions(asked);
  const lock = asked.frozen === undefined ? null : await loadLock(asked.frozen);
  const options = lock === null ? asked : withLocked(asked, lock);
  // What a lock says of another model does not fit this one: that it is another is said then.
  const unfitting = lock === null ? "refuse" : "skip";
  const model = await openModel(path, shapesOf(options), running.signal, unfitting);
  try {
    if (lock === null) checkSizes(model, sizesOf(options));
    const folder = options.output ?? `${model.name}.pare`;
    const job: Job = { model, folder, options, running };
    await checkBundlePlace(folder);
    let report: Report | null = null;
    await whileWriting(folder, async () => {
      report = lock === null ? await searchModel(path, job) : await replayLock(path, lock, job);
    });
    return resultOf(folder, report);
  } finally {
    model.close();
  }
}

function resultOf(bundle: string, report: Report | null): OptimizeResult {
  if (report === null) throw new RangeError("What is written has a report.");
  const missed = (report.checks ?? []).filter(({ outcome }) => outcome === "missed");
  return { bundle, report, missed };
}
