/// <reference lib="esnext.disposable" preserve="true" />
import type { Session } from "../format/engine/backend.js";
import type { Given, RunSync, StatePairs, Stream, SyncStream } from "../format/engine/run-sync.js";
import { PareError } from "../format/error.js";
import type { ValueInfo } from "../format/tensor/value-info.js";
import type { Runnable } from "../format/bundle/parse-runnable.js";
import type { Feeds, Tensors } from "../format/tensor/tensor.js";
import type { Selection } from "./selection.js";

export interface RunOptions {
  /** Rejects at once: a queued run leaves the queue, one in flight is discarded when it ends. */
  readonly signal?: AbortSignal;
}

/** By output, the input that it may be at the next step. */
export type PairsOf<Inputs extends object, Outputs extends object> = {
  readonly [Name in keyof Outputs]?: keyof Inputs;
};

/** What is fed at each step: all inputs but the state, which may be given to begin elsewhere than at zeros. */
export type StepInputs<Inputs extends object, State extends object> = string extends
  | keyof Inputs
  | keyof State
  ? Given
  : Omit<Inputs, State[keyof State] & PropertyKey> & Partial<Inputs>;

/** What a step gives: all outputs but the state. */
export type StepOutputs<Outputs extends object, State extends object> = string extends keyof State
  ? Tensors
  : Omit<Outputs, keyof State>;

/** What every loaded model has, whatever it takes and gives: what lists models, or disposes of them, takes these. */
export interface LoadedModel {
  readonly name: string;
  /** As this variant takes them: one that is compiled has fixed sizes where the model leaves some free. */
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly selection: Selection;
  readonly isSync: boolean;
  /** Gives back the engine's memory after the runs that are under way. Twice is once. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface AnyModel<
  Inputs extends object,
  Outputs extends object,
  State extends object,
> extends LoadedModel {
  /** By output name, the input that it is at the next step; empty for a model without state. */
  readonly state: State;
  /**
   * Inputs are copied at once, so that their buffers can be used again; outputs belong to the caller.
   * @throws PareError INPUT, ENGINE, ABORTED, DISPOSED
   */
  run(inputs: Inputs, options?: RunOptions): Promise<Outputs>;
}

/** A loaded variant whose engine answers later. */
export interface AsyncModel<
  Inputs extends object = Feeds,
  Outputs extends object = Tensors,
  State extends object = StatePairs,
> extends AnyModel<Inputs, Outputs, State> {
  readonly isSync: false;
  /**
   * Steps that carry the model's state from each to the next, zeros at the start. There may be any number of streams. A size
   * of the state that is not fixed is 1, unless the first step is given a state.
   * @param state by output name, the input that it is at the next step, where the bundle does not say it
   * @throws PareError ARGUMENT for a pair that is no output and input of one type and size, as far as these are known
   */
  stream<Carried extends PairsOf<Inputs, Outputs> = Extract<State, PairsOf<Inputs, Outputs>>>(
    state?: Carried,
  ): Stream<StepInputs<Inputs, Carried>, StepOutputs<Outputs, Carried>>;
}

/** A loaded variant that computes on the caller's thread. */
export interface SyncModel<
  Inputs extends object = Feeds,
  Outputs extends object = Tensors,
  State extends object = StatePairs,
> extends AnyModel<Inputs, Outputs, State> {
  readonly isSync: true;
  /** @throws PareError INPUT, ENGINE, DISPOSED; ENGINE_ASYNC where it is called on an `AsyncModel` all the same */
  readonly runSync: RunSync<Inputs, Outputs>;
  /**
   * Steps that carry the model's state from each to the next, zeros at the start. There may be any number of streams.
   * @param state by output name, the input that it is at the next step, where the bundle does not say it
   * @throws PareError ARGUMENT for a pair that is no output and input of one type and size
   */
  stream<Carried extends PairsOf<Inputs, Outputs> = Extract<State, PairsOf<Inputs, Outputs>>>(
    state?: Carried,
  ): SyncStream<StepInputs<Inputs, Carried>, StepOutputs<Outputs, Carried>>;
}

/** A loaded variant: `isSync` says which. */
export type Model<
  Inputs extends object = Feeds,
  Outputs extends object = Tensors,
  State extends object = StatePairs,
> = SyncModel<Inputs, Outputs, State> | AsyncModel<Inputs, Outputs, State>;

export function openModel<Inputs extends object, Outputs extends object, State extends object>(
  { name, inputs, outputs, state = {} }: Runnable,
  session: Session,
  selection: Selection,
): Model<Inputs, Outputs, State> {
  const dispose = (): Promise<void> => session.dispose();
  const refuse = (): never => {
    throw new PareError("ENGINE_ASYNC", `${selection.engine} answers later.`);
  };
  const { runSync = refuse, stream = refuse } = session;
  const isSync = runSync !== refuse;
  const model = {
    name,
    // What is compiled takes the sizes that it was compiled for, whatever others a model may take.
    ...(isSync ? { inputs: session.inputs, outputs: session.outputs } : { inputs, outputs }),
    state,
    selection,
    isSync,
    run: (feeds: Feeds, options?: RunOptions) => session.run(feeds, options?.signal),
    runSync,
    stream: (pairs = state) => stream(pairs),
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
  // index.d.ts, which the compiler wrote with the manifest, is what says that these types agree.
  return model as unknown as Model<Inputs, Outputs, State>;
}
