import { countMacs, countParameters, findTarget } from "@pare/compiler";
import {
  asLoaded,
  askOn,
  type BenchModel,
  compare,
  type Comparison,
  type CompareRequest,
  createMeasure,
  measureWhole,
  type MeasureOptions,
  orRefusal,
} from "@pare/bench";
import {
  type Measurement,
  PareError,
  type Report,
  type ReportCheck,
  reportFormatVersion,
  type TargetName,
} from "@pare/runtime/format";
import { loadBudgets } from "../../config/budgets.js";
import { artifactsOf } from "../../workbench/artifacts.js";
import { environment, parseTargets } from "../../workbench/engines.js";
import { modelName } from "../../platform/open-model.js";
import { modelAtCommit } from "./git-model.js";
import { checkMeasureOptions, type Workbench, openWorkbench } from "../../workbench/workbench.js";
import { parseShapes } from "../../workbench/shape-options.js";
import { openModel, type OpenedModel, openModelSource } from "../../workbench/opened-model.js";
import { inFile } from "../../workbench/in-file.js";
import type { Output } from "../../terminal/output.js";
import { shownPath } from "../../terminal/shown-path.js";
import { twoLevelProgress } from "../../terminal/two-level-progress.js";
import type { VerbContext } from "../../terminal/verb.js";
import { hopelessText } from "../../report/hopeless.js";
import { checkReports, writeReports } from "../../report/report-files.js";
import { summaryText } from "../../report/summary.js";
import { withoutPlaces } from "../../report/without-places.js";
import type { MeasureVerbOptions } from "../../workbench/measure-options.js";

export interface BenchOptions extends MeasureVerbOptions {
  readonly base?: string;
  readonly gate?: boolean;
  readonly open?: boolean;
  readonly maxDrop?: number;
  readonly maxSize?: number;
  readonly maxLatency?: number;
}

/** `pare bench`: files measured against one another, interleaved, on the test samples. */
export async function runBench(
  first: string,
  others: readonly string[],
  options: BenchOptions,
  context: VerbContext,
): Promise<void> {
  const output = context.output(options);
  const { signal } = context;
  await checkOptions(options);
  const idle = idleBudgets(options);
  if (idle.length > 0) output.note(`Nothing is held to ${idle.join(" and ")} without --gate.`);
  const targets = parseTargets(options.target);
  const shapes = parseShapes(options);
  const models: OpenedModel[] = [];
  let workbench: Workbench | null = null;
  try {
    if (options.base !== undefined) {
      const path = `${shownPath(first)} at ${options.base}`;
      const source = modelAtCommit(first, options.base);
      const before = await inFile(path, () => openModelSource(first, source, shapes, signal));
      models.push({ ...before, path });
    }
    for (const path of [first, ...others]) {
      const unfitting = models.length > 0 ? "skip" : "refuse";
      models.push(await openModel(path, shapes, signal, unfitting));
    }
    const [baseline, ...candidates] = models;
    if (baseline === undefined) throw new PareError("INTERNAL", "There is no baseline.");
    if (options.gate === true && candidates.length === 0) {
      throw new PareError("ARGUMENT", "--gate needs something to compare with.", {
        where: "--gate",
        hint: "Name a candidate, or the baseline's commit with --base HEAD~1.",
      });
    }
    for (const candidate of candidates) demandSameInputs(baseline, candidate);
    workbench = await openWorkbench(
      candidates[0] ?? baseline,
      targets,
      options,
      options.seed,
      output,
      signal,
    );
    const { engines, evaluation } = workbench;
    for (const target of targets) {
      const settled = findTarget(target).assumption?.(baseline.graph);
      if (settled !== undefined) output.note(`${target}: ${settled}`);
    }
    const progress = twoLevelProgress(output);
    const measuring: MeasureOptions = {
      hosts: engines.hosts,
      samples: evaluation.samples,
      splits: evaluation.splits,
      scorer: evaluation.scorer,
      seed: options.seed,
      onProgress: progress.phase,
    };
    const reportContext = {
      command: context.typed,
      createdAt: new Date().toISOString(),
      environment: environment(engines),
      shapes: evaluation.shapes,
      data: evaluation.report,
      nextStep: null,
      skipped: engines.skipped,
    };
    const measured = engines.devices.map(({ target }) => target);
    const benched = candidates.map(benchModel);
    const comparison: Comparison =
      candidates.length === 0
        ? await measureAlone(
            benchModel(baseline),
            measured,
            measuring,
            reportContext,
            evaluation.evidence,
            signal,
          )
        : await compare({
            ...measuring,
            baseline: benchModel(baseline),
            candidates: benched,
            targets: measured,
            evidence: evaluation.evidence,
            gate:
              options.gate === true
                ? await gateOf(
                    benched,
                    options.base === undefined ? others : [first, ...others],
                    options,
                    output,
                  )
                : null,
            context: reportContext,
            signal,
            onMeasure: ({ model, target, index, count }) =>
              progress.step({
                fraction: index / count,
                endMs: Infinity,
                what: `${target}: ${model}`,
                best: null,
              }),
          });
    const { passed } = comparison;
    const { variants } = comparison.report;
    const nextStep = hopelessText(variants.flatMap(({ accuracy }) => accuracy ?? []));
    const report = withoutPlaces({ ...comparison.report, nextStep });
    const summary = summaryText(report, options);
    const lines = [
      ...(summary === "" ? [] : [summary]),
      ...(report.checks ?? []).map((check) => checkText(check, candidates.length > 1)),
    ];
    if (nextStep !== null) lines.push(`next: ${nextStep}`);
    output.result(lines.join("\n\n"), report);
    if (!passed) context.exit(3);
    await writeReports(report, options.report, output);
  } finally {
    output.settle();
    await workbench?.dispose();
    for (const model of models) model.close();
  }
}

/** @throws PareError ARGUMENT for options that do not go together, and as `checkReports`; before anything is opened */
async function checkOptions(options: BenchOptions): Promise<void> {
  checkMeasureOptions(options);
  if (options.maxDrop !== undefined && options.data === undefined)
    throw new PareError(
      "ARGUMENT",
      "--max-drop needs --data: without data no drop can be measured.",
      { where: "--max-drop", hint: "Add --data, or leave --max-drop out." },
    );
  await checkReports(options.report);
}

/** Options that say what a gate allows, where there is none. */
function idleBudgets({ gate, maxDrop, maxSize, maxLatency }: BenchOptions): readonly string[] {
  const budgets = { "--max-drop": maxDrop, "--max-size": maxSize, "--max-latency": maxLatency };
  return gate === true
    ? []
    : Object.entries(budgets).flatMap(([name, value]) => (value === undefined ? [] : [name]));
}

/** Each candidate is held to what its own path or name is allowed. @param paths of the candidates, in their order */
async function gateOf(
  candidates: readonly BenchModel[],
  paths: readonly string[],
  { maxDrop, maxSize: maxSizeBytes, maxLatency: maxLatencyMs, data }: BenchOptions,
  output: Pick<Output, "note">,
): Promise<NonNullable<CompareRequest["gate"]>> {
  const budgets = new Map<BenchModel, Awaited<ReturnType<typeof loadBudgets>>>();
  for (const [index, path] of paths.entries()) {
    const model = candidates[index];
    if (model !== undefined)
      budgets.set(
        model,
        await loadBudgets(
          path,
          modelName(path),
          { maxDrop, maxSizeBytes, maxLatencyMs },
          { hasAccuracy: data !== undefined, note: (text) => output.note(text) },
        ),
      );
  }
  return (model, target) => budgets.get(model)?.(target) ?? {};
}

function typed({ inputs }: OpenedModel): readonly string[] {
  return inputs.map(({ name, type }) => `${name} (${type})`).sort();
}

/** Models are compared on the same samples. */
function demandSameInputs(one: OpenedModel, other: OpenedModel): void {
  const [own, others] = [typed(one), typed(other)];
  if (own.join("\n") === others.join("\n")) return;
  throw new PareError(
    "ARGUMENT",
    `The models have different inputs: ${own.join(", ")} of ${one.path}; ${others.join(", ")} of ${other.path}.`,
    { where: other.path, hint: "Compare models that take the same." },
  );
}

function benchModel(model: OpenedModel): BenchModel {
  const { path, graph } = model;
  return {
    name: path,
    artifactFor: artifactsOf(model),
    parameters: countParameters(graph),
    macs: countMacs(graph),
  };
}

/** One file and nothing to compare it with: its own figures. */
async function measureAlone(
  model: BenchModel,
  targets: readonly TargetName[],
  measuring: MeasureOptions,
  context: Pick<
    Report,
    "command" | "createdAt" | "environment" | "shapes" | "data" | "nextStep" | "skipped"
  >,
  evidence: Report["variants"][number]["evidence"],
  signal: AbortSignal,
): Promise<Comparison> {
  const measure = createMeasure(measuring);
  const variants: Report["variants"][number][] = [];
  const skipped = [...context.skipped];
  for (const target of targets) {
    const ask = askOn({ hosts: measuring.hosts, signal }, target);
    const whole = async (): Promise<Measurement> =>
      measureWhole(measure, { ...ask, ...(await asLoaded(model, ask)) });
    // Another target may take it.
    const measurement = targets.length === 1 ? await whole() : await orRefusal(whole);
    if (typeof measurement === "string") {
      skipped.push({ target, reason: measurement });
      continue;
    }
    variants.push({
      name: model.name,
      evidence,
      parameters: model.parameters,
      macs: model.macs,
      ...measurement,
      precision: "as given",
      file: model.name,
      baseline: null,
    });
  }
  if (variants.length === 0) {
    const reasons = skipped.map(({ target, reason }) => `${target}: ${reason}`);
    throw new PareError("ENGINE", `No target could run the model: ${reasons.join("; ")}`, {
      where: model.name,
      hint: "`pare inspect` says for each target what it lacks.",
    });
  }
  const report: Report = {
    formatVersion: reportFormatVersion,
    model: model.name,
    ...context,
    skipped,
    float: null,
    variants,
    steps: [],
    candidates: [],
    why: [],
    disagreements: [],
  };
  return { report, passed: true, missed: [] };
}

/** @param isNamed where there are several candidates, of which a target says the same */
function checkText({ target, name, what, outcome, reason }: ReportCheck, isNamed: boolean): string {
  return `${outcome}: ${isNamed ? `${name}, ` : ""}${target}, ${what}: ${reason}`;
}
