import {
  type Artifact,
  type SampleInfo,
  type SampleSet,
  type Tensors,
  throwIfAborted,
} from "@pare/runtime/format";
import type { CallOptions } from "../engines/call-within.js";
import type { EngineHost } from "../engines/host.js";
import type { LoadedModels } from "./loaded-models.js";

/** A file that is run on samples of a set. */
export interface RunShared {
  readonly artifact: Artifact;
  readonly samples: SampleSet;
  readonly models: LoadedModels;
  readonly each: (outputs: Tensors, sample: SampleInfo, index: number) => Promise<void>;
}

/**
 * Runs a file on samples, which engines share; it ends when none of them runs any more. What one of them leaves that is
 * not the first, for want of memory say, is run by the first.
 */
export async function runShared(
  engines: readonly [EngineHost, ...EngineHost[]],
  { artifact, samples, models, each }: RunShared,
  indexes: readonly number[],
  options: CallOptions,
): Promise<void> {
  const left = new Set(indexes);
  const run = (engine: EngineHost, own: readonly number[]): Promise<number> => {
    const keep = async (outputs: Tensors, sample: SampleInfo, position: number): Promise<void> => {
      const index = own[position] ?? 0;
      await each(outputs, sample, index);
      left.delete(index);
    };
    return models.using(engine, artifact, options, (model) =>
      engine.runSamples(model, samples, own, keep, options),
    );
  };
  const shares = engines.map((engine, number) =>
    run(
      engine,
      indexes.filter((_, at) => at % engines.length === number),
    ),
  );
  const [first] = await Promise.allSettled(shares);
  throwIfAborted(options.signal);
  if (first?.status === "rejected") throw first.reason;
  if (left.size > 0) await run(engines[0], [...left]);
}
