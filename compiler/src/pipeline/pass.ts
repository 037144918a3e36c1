import type { Executor, Tensors } from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";

/** How equal the numbers are before and after: tests and verification take their tolerance from it. */
export type Exactness = "bitwise" | "rounding" | "lossy";

/** An engine and the calibration split's feeds; `samples` starts anew at each call. */
export interface Calibration {
  readonly executor: Executor;
  samples(): AsyncIterable<Tensors>;
  readonly count: number;
}

export interface PassContext {
  readonly signal?: AbortSignal;
  /** What a pass that needs activations calibrates with. Absent: there is no data. */
  readonly calibration?: Calibration;
  /** Done so far, of 1. */
  readonly onProgress?: (fraction: number, what: string) => void;
}

/** Graph in, graph out, in place; the graph counts what changed, a pass never claims it. */
export interface Pass {
  readonly exactness: Exactness;
  run(graph: Graph, context: PassContext): void | Promise<void>;
}

/** Name = file name = CLI verb = `use` in a recipe. */
export interface PassDefinition<Name extends string, Options> {
  readonly name: Name;
  readonly summary: string;
  /** @throws PareError RECIPE with the path of the offending field */
  parse(options: unknown): Options;
  create(options: Options): Pass;
}
