import {
  type Artifact,
  completeFeeds,
  type Executor,
  type Feeds,
  type Session,
  type Tensor,
  type Tensors,
  type ValueInfo,
} from "@pare/runtime/format";
import type { CallOptions } from "./call-within.js";
import type { EngineHost, LoadedModel } from "./host.js";

/**
 * A host as the compiler wants it: load a model, run feeds, get all outputs. Runs in the host's process.
 * @param kept loads for somebody who unloads it
 */
export function executor(
  host: EngineHost,
  kept?: (artifact: Artifact, options: CallOptions) => Promise<LoadedModel>,
): Executor {
  return {
    async load(artifact, options = {}) {
      const loaded = await (kept?.(artifact, options) ?? host.load(artifact, options));
      const session: Session = {
        inputs: loaded.inputs,
        outputs: loaded.outputs,
        run: async (feeds, signal) =>
          host.run(loaded, named(feeds, loaded.inputs), { signal: signal ?? options.signal }),
        reduce: (samples, reductions, { signal, onSamples }) =>
          host.reduce(loaded, complete(samples, loaded.inputs), reductions, {
            signal: signal ?? options.signal,
            onSamples,
          }),
        dispose: async () => {
          if (kept === undefined) await host.unload(loaded);
        },
      };
      return session;
    },
  };
}

async function* complete(
  samples: AsyncIterable<Tensors>,
  inputs: readonly ValueInfo[],
): AsyncGenerator<Tensors> {
  for await (const feeds of samples) yield named(feeds, inputs);
}

function named(feeds: Feeds, inputs: readonly ValueInfo[]): Tensors {
  const tensors = completeFeeds(inputs, feeds);
  return Object.fromEntries(inputs.map(({ name }, index) => [name, tensors[index] as Tensor]));
}
