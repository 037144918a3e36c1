import type { Examples, Sizes } from "@pare/compiler";
import type { EngineHost, Reads, Scorer } from "@pare/bench";
import {
  type Evidence,
  onnxArtifact,
  PareError,
  type Report,
  type SampleSet,
  type SplitName,
  type StoredSample,
  type Tensors,
  type ValueInfo,
} from "@pare/runtime/format";
import { describeSplits } from "../data/describe-splits.js";
import type { OpenData } from "../data/open-data.js";
import { spreadOrder } from "../data/spread-order.js";
import { untimedExecutor } from "./engines.js";
import { fittingSize } from "./fitting-size.js";
import { hostWorkers } from "./host-workers.js";
import type { OpenedModel } from "./opened-model.js";
import { noiseOf } from "./noise-of.js";
import { synthetic, syntheticCount, syntheticSamples } from "./synthetic-samples.js";
import { withStates } from "./with-states.js";

/** What models are evaluated with: the user's samples, their splits and the metric, or noise where there is no data. */
export interface Evaluation {
  readonly samples: SampleSet;
  /** The same, for passes that look at samples one by one: the steps of sequences with the float model's own states. */
  readonly examples: SampleSet;
  readonly splits: Readonly<Record<SplitName, readonly number[]>>;
  /** Absent where the data has none for training alone. */
  readonly training?: readonly number[];
  readonly seed: number;
  readonly scorer: Scorer | null;
  readonly evidence: Evidence;
  /** What is to be known of the metric; null where nothing is. */
  readonly note: string | null;
  readonly report: Report["data"];
  /** Of the first sample: what was measured. */
  readonly shapes: Report["shapes"];
  /** Of dims that have several: noise is made at each in turn. */
  readonly sizes: Sizes;
}

export interface PrepareOptions {
  readonly sizes?: Sizes | undefined;
  /** Whether made-up inputs stand in for data where there is none. */
  readonly synthetic?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface EvaluationOptions {
  /** The one that fits where not given. */
  readonly metric?: string | undefined;
  /** The output that labels are of; the one that they fit where not given. */
  readonly labelsOf?: string | undefined;
}

/**
 * Without data, noise; with data, its samples and the metric that was named or fits.
 * @throws PareError LABELS, ARGUMENT for an unknown metric
 */
export async function prepareEvaluation(
  model: OpenedModel,
  data: OpenData | null,
  options: EvaluationOptions,
  seed: number,
  host: EngineHost,
  { sizes = {}, synthetic: standsIn = false, signal }: PrepareOptions = {},
): Promise<Evaluation> {
  const samples =
    data?.samples ??
    syntheticSamples(model.inputs, seed, {
      sizes,
      usual: await fittingSize(model.graph, model.inputs),
      noise: noiseOf(model.graph),
      ...(standsIn && { count: synthetic.calibration + synthetic.validation + synthetic.test }),
    });
  const first = await samples.sample(data?.splits.validation[0] ?? 0);
  const shapes = Object.fromEntries(
    Object.entries(first.feeds).map(([name, { dims }]) => [name, dims]),
  );
  if (data === null && standsIn) {
    const { scorer } = await chooseScorer(model, { hooks: {}, samples }, {}, host, first, signal);
    return {
      samples,
      examples: samples,
      splits: syntheticSplits(),
      seed,
      scorer,
      evidence: "synthetic",
      note: null,
      report: { source: "made-up inputs", ...synthetic, seed, caveat: saysNothing },
      shapes,
      sizes,
    };
  }
  if (data === null) {
    const all = indexes(0, syntheticCount);
    return {
      samples,
      examples: samples,
      splits: { calibration: [], validation: all, test: all },
      seed,
      scorer: null,
      evidence: "none",
      note: null,
      report: { source: null, calibration: 0, validation: 0, test: 0, seed, caveat: null },
      shapes,
      sizes,
    };
  }
  const { splits } = data;
  const { scorer, note } = await chooseScorer(model, data, options, host, first, signal);
  const lookedAt = [...splits.calibration, ...(splits.training ?? [])];
  return {
    samples,
    examples: await withStates(samples, lookedAt, model, host, signal),
    splits,
    ...(splits.training && { training: splits.training }),
    seed,
    scorer,
    evidence: scorer.evidence,
    note,
    report: {
      source: data.source,
      calibration: splits.calibration.length,
      validation: splits.validation.length,
      test: splits.test.length,
      seed,
      caveat: [data.caveat, note].filter((one) => one !== null).join(" ") || null,
      splits: await describeSplits(data),
    },
    shapes,
    sizes,
  };
}

const saysNothing =
  "No data was given, and made-up inputs stand in for it: how variants agree with the float model there says nothing of accuracy.";

function syntheticSplits(): Evaluation["splits"] {
  const { calibration, validation, test } = synthetic;
  return {
    calibration: indexes(0, calibration),
    validation: indexes(calibration, validation),
    test: indexes(calibration + validation, test),
  };
}

function indexes(from: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => from + at);
}

/** So many labels tell what all have in common. */
const mostLabels = 4096;

/** What is chosen by a label of one number where outputs are neither scores of classes nor one number. */
const numbersApart = "mse";

/** What is chosen without labels where outputs are no scores of classes alone. */
const agreement = "concordance";

const foldersAreNoLabels =
  "Subfolders are no labels here, as the model gives no scores of classes: it is compared with the float model.";

/** @returns what is measured by, and what is to be known of it */
async function chooseScorer(
  model: OpenedModel,
  {
    hooks,
    samples,
    labelsAreFolders = false,
  }: Pick<OpenData, "hooks"> &
    Partial<Pick<OpenData, "labelsAreFolders">> & { readonly samples: SampleSet },
  { metric, labelsOf }: EvaluationOptions,
  host: EngineHost,
  first: StoredSample,
  signal: AbortSignal | undefined,
): Promise<{ readonly scorer: Scorer; readonly note: string | null }> {
  const {
    alignedRows,
    chooseMetric,
    createScorer,
    inParts,
    labelFacts,
    labelledOutputs,
    onlyOutput,
  } = await import("@pare/bench");
  const { labelled } = samples;
  const { outputsOfSelectedRows, outputsWithShares } = await import("@pare/compiler");
  const joined = outputsWithShares(model.graph);
  const selected = outputsOfSelectedRows(model.graph);
  /** What only the float model's answers say is looked at part by part, and what was selected whichever comes first. */
  const readsFor = (name: string): Reads | undefined =>
    name === agreement
      ? (all, float) => inParts(alignedRows(all, float, selected), joined)
      : undefined;
  const own = metric ?? (hooks.score ? "score" : hooks.metric?.name);
  const isRead = hooks.predict !== undefined || !labelled || model.outputs.length === 1;
  if (own !== undefined && (metric === undefined || isRead || metric === hooks.metric?.name)) {
    const reads = labelled ? undefined : readsFor(own);
    return { scorer: createScorer(own, labelled, hooks, reads), note: null };
  }
  const outputs = await outputsOf(model, first, host, signal);
  const prediction = await hooks.predict?.(outputs, first);
  if (hooks.predict !== undefined && prediction === undefined) throw nothingPredicted(first.id);
  // Of one output and a class for each sample nothing is to be found out.
  const isPlain = model.outputs.length === 1 && typeof first.label !== "object";
  const isTold = isPlain || !labelled || hooks.predict !== undefined;
  const facts = isTold ? null : labelFacts(await labelsIn(samples));
  const fitting = facts === null ? null : labelledOutputs(outputs, facts);
  const output = fitting === null ? undefined : (labelsOf ?? fitting.best[0]);
  const read = onlyOutput(outputs, output);
  const name = metric ?? chooseMetric(read, first.label, prediction, facts);
  if (metric === undefined && labelled && labelsAreFolders && name === numbersApart) {
    const unlabelled = chooseMetric(outputs, null);
    const scorer = createScorer(unlabelled, false, hooks, readsFor(unlabelled));
    return { scorer, note: foldersAreNoLabels };
  }
  const others = fitting === null ? [] : [...fitting.best.slice(1), ...fitting.others];
  const note =
    labelsOf === undefined && others.length > 0
      ? `Labels fit several outputs, and ${name} is of "${output}": where they are of another (${others.join(", ")}), say so, by predict(outputs, sample) of a data module, and to what trains by --labels-of.`
      : null;
  const reads = labelled ? (all: Tensors): Tensors => onlyOutput(all, output) : readsFor(name);
  return { scorer: createScorer(name, labelled, hooks, reads), note };
}

async function outputsOf(
  model: OpenedModel,
  { feeds }: StoredSample,
  host: EngineHost,
  signal: AbortSignal | undefined,
): Promise<Tensors> {
  const loaded = await host.load(onnxArtifact((await model.read()).bytes), { signal });
  try {
    return await host.run(loaded, feedsFor(loaded.inputs, feeds), { signal });
  } finally {
    await host.unload(loaded);
  }
}

async function labelsIn(samples: SampleSet): Promise<readonly unknown[]> {
  const count = Math.min(samples.size, mostLabels);
  // From all of it: samples often come class by class.
  const infos = Array.from({ length: count }, (_, index) =>
    samples.info(Math.floor((index * samples.size) / count)),
  );
  const labels = (await Promise.all(infos)).map(({ label }) => label);
  return labels.filter((label) => label !== undefined && label !== null);
}

/** The samples as a model takes them: its only input takes their only tensor, whatever either is called. */
export function samplesFor(
  inputs: readonly ValueInfo[],
  { samples, shapes }: Pick<Evaluation, "samples" | "shapes">,
): SampleSet {
  const [name, ...others] = Object.keys(shapes);
  if (inputs.length !== 1 || others.length > 0 || inputs[0]?.name === name) return samples;
  return {
    size: samples.size,
    labelled: samples.labelled,
    ...(samples.sequences && { sequences: samples.sequences }),
    info: (index) => samples.info(index),
    async sample(index) {
      const sample = await samples.sample(index);
      return { ...sample, feeds: feedsFor(inputs, sample.feeds) };
    },
  };
}

function feedsFor(inputs: readonly ValueInfo[], feeds: Tensors): Tensors {
  const [input, ...otherInputs] = inputs;
  const [tensor, ...otherTensors] = Object.values(feeds);
  const isAlone = otherInputs.length === 0 && otherTensors.length === 0;
  return isAlone && input && tensor ? { [input.name]: tensor } : feeds;
}

function nothingPredicted(id: string): PareError {
  return new PareError("LABELS", `predict() returned nothing for sample "${id}".`, {
    where: "predict(outputs, sample)",
    hint: "Return a class, scores per class, a text or numbers: what the label is compared with.",
  });
}

/**
 * The calibration split on an engine, in an order whose every beginning lies spread over the split: who takes only some
 * takes them from all of it. Undefined where there is none.
 */
export function examplesOf(
  evaluation: Pick<Evaluation, "examples" | "splits" | "seed">,
  host: EngineHost,
): Examples | undefined {
  const { calibration } = evaluation.splits;
  return examplesAmong(spreadOrder(calibration, evaluation.seed), evaluation.examples, host);
}

/** The split for training alone; undefined where there is none. */
export function trainingOf(
  { training = [], examples }: Pick<Evaluation, "examples" | "training">,
  host: EngineHost,
): Examples | undefined {
  return examplesAmong(training, examples, host);
}

/** Undefined where there are none. */
export function examplesAmong(
  indexes: readonly number[],
  samples: SampleSet,
  host: EngineHost,
): Examples | undefined {
  if (indexes.length === 0) return undefined;
  return {
    executor: untimedExecutor(host),
    workers: hostWorkers(host),
    count: indexes.length,
    async *read() {
      for (const index of indexes) yield await samples.sample(index);
    },
  };
}

/** The splits' hashes, for the lock; empty without data. */
export function splitHashes({
  report: { splits },
}: Pick<Evaluation, "report">): Readonly<Record<string, string>> {
  if (splits === undefined) return {};
  const { calibration, validation, test, training } = splits;
  return {
    calibration: calibration.sha256,
    validation: validation.sha256,
    test: test.sha256,
    ...(training && { training: training.sha256 }),
  };
}
