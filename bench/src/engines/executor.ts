import {
  completeFeeds,
  type Executor,
  type Feeds,
  type Session,
  type Tensor,
  type Tensors,
  type ValueInfo,
} from "@pare/runtime/format";
import type { EngineHost } from "./host.js";

/** A host as the compiler wants it: load a model, run feeds, get all outputs. Runs in the host's process. */
export function executor(host: EngineHost): Executor {
  return {
    async load(artifact, options = {}) {
      const loaded = await host.load(artifact, options);
      const session: Session = {
        inputs: loaded.inputs,
        outputs: loaded.outputs,
        run: async (feeds, signal) =>
          host.run(loaded, named(feeds, loaded.inputs), { signal: signal ?? options.signal }),
        dispose: () => host.unload(loaded),
      };
      return session;
    },
  };
}

function named(feeds: Feeds, inputs: readonly ValueInfo[]): Tensors {
  const tensors = completeFeeds(inputs, feeds);
  return Object.fromEntries(inputs.map(({ name }, index) => [name, tensors[index] as Tensor]));
}
