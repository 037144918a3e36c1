import type { TypedArray } from "../tensor/dtype.js";
import type { Tensor, Tensors } from "../tensor/tensor.js";

/** Feeds by name, where one may be missing. */
export type Given = Readonly<Record<string, Tensor | TypedArray | undefined>>;

/**
 * Arrays of the caller's by output name, of each output's kind and length; where only a run knows how many rows there are,
 * of the length of all that there may be, with zeros behind the last.
 */
export type ArraysOf<Outputs extends object = Tensors> = {
  readonly [Name in keyof Outputs]?:
    | (Outputs[Name] extends { readonly data: infer Data } ? Extract<Data, TypedArray> : never)
    | undefined;
};

/** Runs to its end before it returns. */
export interface RunSync<Inputs extends object = Given, Outputs extends object = Tensors> {
  /** @returns outputs that belong to the caller */
  (inputs: Inputs): Outputs;
  /**
   * Allocates nothing where inputs are held in the arrays of their types.
   * @param into what outputs are written to; one that it does not name is not read
   * @returns `into`
   */
  <Into extends ArraysOf<Outputs>>(inputs: Inputs, into: Into): Into;
}

/** By output name, the input that it is at the next step: `{ stateN: "state" }`. */
export type StatePairs = Readonly<Record<string, string>>;

/** Steps of a model whose state goes from each to the next: zeros at the start. */
export interface Stream<Inputs extends object = Given, Outputs extends object = Tensors> {
  /**
   * The next step, when those before it are done.
   * @param inputs copied at once; a state that is given takes the place of what was carried
   * @throws PareError INPUT, ENGINE, ABORTED, DISPOSED
   */
  run(inputs: Inputs, options?: { readonly signal?: AbortSignal }): Promise<Outputs>;
  /** Begins anew, with zeros. */
  reset(): void;
}

/** Of a model that runs at once. */
export interface SyncStream<
  Inputs extends object = Given,
  Outputs extends object = Tensors,
> extends Stream<Inputs, Outputs> {
  /** The next step. */
  readonly runSync: RunSync<Inputs, Outputs>;
}
