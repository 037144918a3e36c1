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

/** A model that stays loaded until it is let go. */
export interface HeldModel {
  readonly model: LoadedModel;
  readonly release: () => Promise<void>;
}

/**
 * A host as the compiler wants it: load a model, run feeds, get all outputs. Runs in the host's process.
 * @param hold loads where who is done with a model leaves it loaded for others
 */
export function executor(
  host: EngineHost,
  hold: (artifact: Artifact, options: CallOptions) => Promise<HeldModel> = async (...asked) => {
    const model = await host.load(...asked);
    return { model, release: () => host.unload(model) };
  },
): Executor {
  return {
    async load(artifact, options = {}) {
      const { model: loaded, release } = await hold(artifact, options);
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
        dispose: release,
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
