import type { Session } from "../format/engine/backend.js";
import type { ValueInfo } from "../format/tensor/value-info.js";
import type { Runnable } from "../format/bundle/parse-runnable.js";
import type { Feeds, Tensors } from "../format/tensor/tensor.js";
import type { Selection } from "./selection.js";

export interface RunOptions {
  /** Rejects at once: a queued run leaves the queue, one in flight is discarded when it ends. */
  readonly signal?: AbortSignal;
}

/** A loaded variant. */
export interface Model<Inputs extends object = Feeds, Outputs extends object = Tensors> {
  readonly name: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly selection: Selection;
  /**
   * Inputs are copied at once, so that their buffers can be used again; outputs belong to the caller.
   * @throws PareError INPUT, ENGINE, ABORTED, DISPOSED
   */
  run(inputs: Inputs, options?: RunOptions): Promise<Outputs>;
  /** Gives back the engine's memory after the runs that are under way. Twice is once. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export function openModel<Inputs extends object, Outputs extends object>(
  manifest: Runnable,
  session: Session,
  selection: Selection,
): Model<Inputs, Outputs> {
  const dispose = (): Promise<void> => session.dispose();
  return {
    name: manifest.name,
    inputs: manifest.inputs,
    outputs: manifest.outputs,
    selection,
    // index.d.ts, which the compiler wrote with the manifest, is what says that these types agree.
    run: (inputs, options) => session.run(inputs as Feeds, options?.signal) as Promise<Outputs>,
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}
