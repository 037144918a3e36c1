import { resolve } from "node:path";
import {
  assembleBundle,
  countMacs,
  countParameters,
  type Optimized,
  type OptimizeRequest,
  reportOf,
  variantId,
} from "@pare/compiler";
import { findDisagreements } from "@pare/bench";
import {
  type Disagreement,
  goldenInputs,
  type Report,
  type TargetName,
} from "@pare/runtime/format";
import { folderSink } from "../../platform/write-bundle.js";
import { budgetChecks, type TargetBudget } from "../../config/budgets.js";
import { environment, measuredOn, modelSource } from "../../workbench/engines.js";
import type { Setup } from "../../workbench/setup.js";
import type { Subject } from "../../workbench/subject.js";
import { guessedDims } from "../../workbench/synthetic-samples.js";
import type { Output } from "../../terminal/output.js";
import { version } from "../../terminal/version.js";
import { nextStep } from "../../report/next-step.js";
import { bundleReports } from "../../report/report-files.js";

interface BundleWriterOptions {
  readonly subject: Subject;
  readonly setup: Setup;
  readonly request: OptimizeRequest;
  readonly budgets: (target: TargetName | null) => TargetBudget;
  /** The command as it was typed. */
  readonly typed: string;
  readonly folder: string;
  readonly output: Output;
}

/** Puts what was decided into a folder: variants, manifest, golden check, lock and reports. */
export class BundleWriter {
  readonly #options: BundleWriterOptions;

  constructor(options: BundleWriterOptions) {
    this.#options = options;
  }

  /** After Ctrl-C: what is complete, without looking for what disagrees. */
  async keep(optimized: Optimized): Promise<void> {
    const { folder } = await this.write(optimized, null);
    const targets = optimized.variants.map(({ target }) => target).join(", ");
    this.#options.output.note(`Stopped. ${folder} holds what was complete: ${targets}.`);
  }

  /** @param signal null: quickly */
  async write(
    optimized: Optimized,
    signal: AbortSignal | null,
  ): Promise<{ folder: string; report: Report }> {
    const { subject, setup, request, folder, output } = this.#options;
    const { name, inputs, outputs, graph, sizeBytes } = subject;
    output.progress(1, "writing the bundle");
    const report = this.#report(
      optimized,
      signal === null ? [] : await this.#disagreements(optimized, signal),
    );
    const dims = Object.fromEntries(
      inputs.map((info) => [
        info.name,
        { dims: setup.material.shapes[info.name] ?? guessedDims(info) },
      ]),
    );
    const files = await assembleBundle({
      name,
      optimized,
      devices: setup.engines.devices,
      inputs,
      outputs,
      golden: goldenInputs(inputs, request.seed, dims),
      seed: request.seed,
      source: {
        bytes: sizeBytes,
        sha256: request.originalSha256,
        parameters: countParameters(graph),
        macs: countMacs(graph),
      },
      createdBy: `pare ${version()}`,
      measuredOn: measuredOn(),
      extra: {
        "pare.lock.json": `${JSON.stringify(optimized.lock, null, 2)}\n`,
        ...bundleReports(report),
      },
    });
    await folderSink(resolve(folder)).write(files);
    return { folder, report };
  }

  #report(optimized: Optimized, disagreements: readonly Disagreement[]): Report {
    const { subject, setup, request, budgets, typed } = this.#options;
    const { engines, material } = setup;
    const report = reportOf(request, optimized, {
      model: subject.path,
      command: typed,
      createdAt: new Date().toISOString(),
      environment: environment(engines),
      shapes: material.shapes,
      data: material.report,
      disagreements,
      nextStep: nextStep(subject.inputs, material, optimized),
    });
    const checks = report.variants.flatMap((row) => [
      {
        target: row.target,
        name: row.name,
        what: "loads",
        outcome: "passed",
        reason: `It loads and runs on ${row.engine}.`,
      } as const,
      ...budgetChecks(row, { maxDrop: request.budget.maxDrop, ...defined(budgets(row.target)) }),
    ]);
    return { ...report, skipped: [...engines.skipped, ...report.skipped], checks };
  }

  async #disagreements(
    optimized: Optimized,
    signal: AbortSignal,
  ): Promise<readonly Disagreement[]> {
    const { setup, request } = this.#options;
    const { engines, material } = setup;
    const found: Disagreement[] = [];
    for (const variant of optimized.variants) {
      const { accuracy } = variant.measurement;
      const host = accuracy === null ? undefined : engines.hosts.get(accuracy.measuredOn);
      if (material.scorer === null || host === undefined) continue;
      const more = await findDisagreements({
        host,
        target: variant.target,
        variant: variantId(variant),
        model: modelSource(variant.bytes),
        session: variant.session,
        float: modelSource(request.original),
        accuracy,
        samples: material.samples,
        indexes: material.splits.test,
        scorer: material.scorer,
        limit: 8,
        signal,
      });
      found.push(...more);
    }
    return found;
  }
}

function defined(budget: TargetBudget): TargetBudget {
  return Object.fromEntries(Object.entries(budget).filter(([, value]) => value !== undefined));
}
