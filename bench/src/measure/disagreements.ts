import type {
  Accuracy,
  Artifact,
  Disagreement,
  SampleInfo,
  SampleSet,
  TargetName,
  Tensors,
} from "@pare/runtime/format";
import type { EngineHost, LoadedModel } from "../engines/host.js";
import type { Scorer } from "../metrics/scorer.js";
import { thumbnailOf } from "../report/thumbnail.js";

export interface DisagreementRequest {
  /** The engine that the accuracy was measured on. */
  readonly host: EngineHost;
  readonly target: TargetName;
  readonly variant: string;
  readonly artifact: Artifact;
  readonly float: Artifact;
  /** Its flips say which samples. */
  readonly accuracy: Accuracy | null;
  readonly samples: SampleSet;
  /** The samples among which the flips are. */
  readonly indexes: readonly number[];
  readonly scorer: Scorer;
  /** 12 where not given. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/** The samples on which a variant and the float model disagree most, both asked again, for showing side by side. */
export async function findDisagreements(request: DisagreementRequest): Promise<Disagreement[]> {
  const { host, target, variant, samples, scorer, limit = 12, signal } = request;
  const worst = request.accuracy?.flips?.samples.slice(0, limit) ?? [];
  if (worst.length === 0) return [];
  const wanted = new Set(worst);
  const found: number[] = [];
  for (const index of request.indexes) {
    if (wanted.has((await samples.info(index)).id)) found.push(index);
  }
  const options = { signal };
  const [model, float] = [
    await host.load(request.artifact, options),
    await host.load(request.float, options),
  ];
  const all: Disagreement[] = [];
  try {
    const outputsOf = async (loaded: LoadedModel): Promise<readonly Tensors[]> => {
      const made: Tensors[] = [];
      const keep = (outputs: Tensors, _: SampleInfo, position: number): void => {
        made[position] = outputs;
      };
      await host.runSamples(loaded, samples, found, keep, options);
      return made;
    };
    const [floats, own] = [await outputsOf(float), await outputsOf(model)];
    for (const [at, index] of found.entries()) {
      const sample = await samples.sample(index);
      const [before = {}, now = {}] = [floats[at], own[at]];
      all.push({
        target,
        variant,
        sample: sample.id,
        label: labelText(sample.label),
        float: scorer.show(await scorer.keep(before, sample, before)),
        candidate: scorer.show(await scorer.keep(now, sample, before)),
        thumbnail: thumbnailOf(sample.feeds),
      });
    }
  } finally {
    await host.unload(model).catch(() => {}); // gone with its engine, which has been reported
    await host.unload(float).catch(() => {});
  }
  return all.sort((a, b) => worst.indexOf(a.sample) - worst.indexOf(b.sample));
}

/** Labels that read well; a mask or a list of boxes does not. */
function labelText(label: unknown): string | null {
  return typeof label === "string" ||
    typeof label === "number" ||
    typeof label === "bigint" ||
    typeof label === "boolean"
    ? String(label)
    : null;
}
