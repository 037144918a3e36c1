import { accuracyOf, type EngineHost, type Scored } from "@pare/bench";
import { type Accuracy, onnxArtifact, type Tensors } from "@pare/runtime/format";
import type { Evaluation } from "../../workbench/evaluation.js";

/** A model that is tested. */
export interface Tested {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * The metric of each model on the test samples. The first is what the others are compared with, and what metrics of
 * agreement agree with.
 */
export async function testedAccuracy(
  models: readonly Tested[],
  { samples, splits, scorer, seed }: Evaluation,
  host: EngineHost,
  signal: AbortSignal,
  onProgress: (done: number) => void,
): Promise<ReadonlyMap<string, Accuracy>> {
  const found = new Map<string, Accuracy>();
  if (scorer === null || splits.test.length === 0) return found;
  const firsts: Tensors[] = [];
  let first: Scored | null = null;
  for (const [index, { name, bytes }] of models.entries()) {
    const model = await host.load(onnxArtifact(bytes), { signal });
    const kept: unknown[] = [];
    const ids: string[] = [];
    const groups: (string | null)[] = [];
    const take = async (
      outputs: Tensors,
      sample: Awaited<ReturnType<typeof samples.info>>,
      position: number,
    ): Promise<void> => {
      if (index === 0 && scorer.needsFloat) firsts.push(outputs);
      kept.push(await scorer.keep(outputs, sample, firsts[position] ?? outputs));
      ids.push(sample.id);
      groups.push(sample.group);
      onProgress((index + kept.length / splits.test.length) / models.length);
    };
    await host.runSamples(model, samples, splits.test, take, { signal });
    await host.unload(model);
    const scored: Scored = { kept, ids, groups, draws: new Map() };
    found.set(name, await accuracyOf(scorer, scored, first, host.target, seed));
    first ??= scored;
  }
  return found;
}
