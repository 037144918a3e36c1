import { accuracyOf, type EngineHost, type Scored } from "@pare/bench";
import { type Accuracy, onnxArtifact, type Tensors } from "@pare/runtime/format";
import { type Evaluation, samplesFor } from "../evaluation.js";

/** A model that is tested. */
export interface Tested {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * The metric of models on the test samples, one after another. The first is what the others are compared with, and what
 * metrics of agreement agree with.
 */
export class AccuracyTest {
  readonly #evaluation: Evaluation;
  readonly #host: EngineHost;
  readonly #signal: AbortSignal;
  readonly #tested = new Map<string, Accuracy>();
  /** The first's outputs, where the metric asks for them. */
  readonly #outputs: Tensors[] = [];
  #first: Scored | null = null;

  constructor(evaluation: Evaluation, host: EngineHost, signal: AbortSignal) {
    this.#evaluation = evaluation;
    this.#host = host;
    this.#signal = signal;
  }

  /** By name; empty where nothing can be tested. */
  get tested(): ReadonlyMap<string, Accuracy> {
    return this.#tested;
  }

  /** @throws PareError LABELS where the metric cannot be taken of the data's labels */
  async add({ name, bytes }: Tested, onProgress: (done: number) => void): Promise<void> {
    const { samples, splits, scorer, seed } = this.#evaluation;
    if (scorer === null || splits.test.length === 0) return;
    const [host, signal] = [this.#host, this.#signal];
    const model = await host.load(onnxArtifact(bytes), { signal });
    const kept: unknown[] = [];
    const ids: string[] = [];
    const groups: (string | null)[] = [];
    const take = async (
      outputs: Tensors,
      sample: Awaited<ReturnType<typeof samples.info>>,
      position: number,
    ): Promise<void> => {
      if (this.#first === null && scorer.needsFloat) this.#outputs.push(outputs);
      kept.push(await scorer.keep(outputs, sample, this.#outputs[position] ?? outputs));
      ids.push(sample.id);
      groups.push(sample.group);
      onProgress(kept.length / splits.test.length);
    };
    const fed = samplesFor(model.inputs, this.#evaluation);
    try {
      await host.runSamples(model, fed, splits.test, take, { signal });
    } finally {
      // A host that is gone has nothing loaded, and why it is gone is thrown already.
      await host.unload(model).catch(() => {});
    }
    const scored: Scored = { kept, ids, groups, draws: new Map() };
    const options = { measuredOn: host.target, seed };
    this.#tested.set(name, await accuracyOf(scorer, scored, this.#first, options));
    this.#first ??= scored;
  }
}

/** That training made a model worse, by more than chance, and what to do; null where it did not. */
export function harmText(before: Accuracy | undefined, after: Accuracy | undefined): string | null {
  if (before === undefined || after === undefined) return null;
  const [was, is] = [before.interval, after.interval];
  const isWorse = after.direction === "higher" ? is[1] < was[0] : is[0] > was[1];
  if (!isWorse) return null;
  return `Training made it worse: ${figureText(before)} before, ${figureText(after)} after. A lower --rate does less harm; what was written is the model as it was trained.`;
}

/** `top1 on 1999 test samples` */
export function testedText({ metric, n }: Accuracy): string {
  return `${metric} on ${n} test samples`;
}

/** `0.985` */
export function figureText({ value }: Accuracy): string {
  return short(value);
}

/** `0.979 (0.971 to 0.985)` */
export function intervalText({ value, interval }: Accuracy): string {
  return `${short(value)} (${interval.map(short).join(" to ")})`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
