import type { PassAccount, Precision } from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";
import type { Activations } from "./activations.js";
import type { Examples } from "./examples.js";
import type { Kept } from "./services.js";
import {
  type Described,
  type Fields,
  fields,
  type FieldsNotes,
  type OptionsOf,
} from "./options.js";

/** How equal the numbers are before and after: tests and verification take their tolerance from it. */
export type Exactness = "bitwise" | "rounding" | "lossy";

/** What a pass may ask for. Nothing is remembered in a module: what outlives a pass is a service here. */
export interface PassContext {
  readonly signal?: AbortSignal;
  /** Absent: there is no data to measure activations on. */
  readonly activations?: Activations;
  /** Absent: there is no data to learn from. */
  readonly examples?: Examples;
  /** A split for training alone, of which more is learned than of `examples`; absent where the data declares none. */
  readonly training?: Examples;
  /** The model as it came, or another that knows better; absent where there is none to learn from. Read only. */
  readonly teacher?: Graph;
  /** Numbers in [0, 1) by seed and name, so that the order of trials cannot matter. */
  readonly random?: (name: string) => () => number;
  /** Where trainings are kept, to go on from; absent: they begin anew. */
  readonly kept?: Kept;
  /** Done so far, of 1. */
  readonly onProgress?: (fraction: number, what: string) => void;
  /** Told once by a pass that learns or cuts: what came of that, as data. */
  readonly onAccount?: (account: PassAccount) => void;
}

/** Graph in, graph out, in place; the graph counts what changed, a pass never claims it. */
export interface Pass {
  readonly exactness: Exactness;
  /** What the model computes in, or stores its weights in, once it ran; absent where that stays as it was. */
  readonly precision?: Precision;
  /**
   * Who decodes weights before the first run, where it only stores them otherwise: engines and modules, or modules alone. Absent
   * where it changes what runs.
   */
  readonly decodedOnceBy?: "all" | "modules";
  /** The service without which it can do nothing; absent where it needs no data. */
  readonly needs?: "activations" | "examples";
  /** It measures on all that may calibrate, not on so many as are enough; absent where those are. */
  readonly calibratesOnAll?: true;
  /** What it is better with, and does without. */
  readonly looksAt?: "activations";
  /**
   * It learns: about how many runs of the model on one sample that takes, from so many examples. What learns is done once
   * for all targets. Absent where it does not.
   */
  readonly learningRuns?: (examples: number) => number;
  /** About what a run takes after it, of what it took: what learns after it takes so much less. Absent where it is as much. */
  readonly runShare?: number;
  run(graph: Graph, context: PassContext): void | Promise<void>;
}

/** Name = file name = CLI verb = `use` in a recipe. */
export interface PassDefinition<Name extends string, Options> {
  readonly name: Name;
  readonly summary: string;
  /** What it leaves is no longer the form that other passes expect: where a recipe requires it, every file ends with it. */
  readonly endsFile: boolean;
  /** What it can be told: `parse`, the schema of recipes and the reference follow from this. */
  readonly options: Fields<Options>;
  /**
   * @param options absent: all at their defaults
   * @param at where they stand, for messages; the pass's name where not given
   * @throws PareError RECIPE with the path of the offending field
   */
  parse(options?: unknown, at?: string): Options;
  create(options: Options): Pass;
}

/** The passes that a recipe can name. */
export type Registry = readonly PassDefinition<string, unknown>[];

/** A pass from its name, its options as data, and what it does with them. */
export function definePass<const Name extends string, const D extends Described>(definition: {
  readonly name: Name;
  readonly summary: string;
  readonly options: D;
  readonly endsFile?: boolean;
  /** Former names of options. */
  readonly former?: FieldsNotes["former"];
  create(options: OptionsOf<D>): Pass;
}): PassDefinition<Name, OptionsOf<D>> {
  const { name, summary, endsFile = false, former = {} } = definition;
  const options = fields(definition.options, { former });
  return {
    name,
    summary,
    endsFile,
    options,
    parse: (given = {}, at = name) => options.read(given, at),
    create: (given) => definition.create(given),
  };
}
