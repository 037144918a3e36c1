import type { Graph } from "../ir/index.js";
import type { Activations } from "./activations.js";

/** How equal the numbers are before and after: tests and verification take their tolerance from it. */
export type Exactness = "bitwise" | "rounding" | "lossy";

/** What a pass may ask for. Nothing is remembered in a module: what outlives a pass is a service here. */
export interface PassContext {
  readonly signal?: AbortSignal;
  /** Absent: there is no data to measure activations on. */
  readonly activations?: Activations;
  /** Numbers in [0, 1) by seed and name, so that the order of trials cannot matter. */
  readonly random?: (name: string) => () => number;
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

/** The passes that a recipe can name. */
export type Registry = readonly PassDefinition<string, unknown>[];
