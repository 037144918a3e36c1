import type {
  Artifact,
  DeviceFeature,
  Reduced,
  Reduction,
  Tensors,
  ValueInfo,
} from "@pare/runtime/format";
import type { BlockTimes, TimingPlan } from "../timing/blocks.js";

/** A sample the engine already holds (`ref` alone), is to hold (`keep`), or sees once. */
export interface WireSample {
  readonly ref: number;
  readonly feeds?: Tensors;
  readonly keep?: boolean;
  /** It is the step behind the one before it: the state is what that one left. */
  readonly follows?: boolean;
}

/** Runs of a model through sequences. */
export interface WireSequences {
  /** Of a series of requests; the state stays from one to the next. */
  readonly series: number;
  /** By an output, the input that it is at the next step. */
  readonly state: Readonly<Record<string, string>>;
}

/** What can be asked of an engine, in a child process or in a page. */
export type EngineRequest =
  | { readonly kind: "probe" }
  | { readonly kind: "start" }
  | {
      readonly kind: "load";
      readonly id: number;
      readonly artifact: Artifact;
      readonly threads: number;
    }
  | {
      readonly kind: "run";
      readonly id: number;
      readonly samples: readonly WireSample[];
      /** Where samples follow on one another. */
      readonly sequences?: WireSequences;
      /** A run that ends later than this is the last before the answer; all are run where not given. */
      readonly maxMs?: number;
    }
  | {
      /** Begins a reduction or goes on with it: first with the samples that wait from earlier requests. */
      readonly kind: "reduce";
      readonly id: number;
      readonly reduction: number;
      readonly samples: readonly WireSample[];
      readonly reductions: readonly Reduction[];
      /** No samples come after these. */
      readonly last: boolean;
      /** A run that ends later than this is the last before the answer. */
      readonly maxMs: number;
    }
  | {
      readonly kind: "time";
      readonly ids: readonly number[];
      readonly samples: readonly WireSample[];
      readonly plan: TimingPlan;
      readonly blocks: number;
    }
  | {
      readonly kind: "warm-up";
      readonly ids: readonly number[];
      readonly samples: readonly WireSample[];
      readonly maxMs: number;
    }
  | { readonly kind: "unload"; readonly id: number }
  | { readonly kind: "forget" }
  | { readonly kind: "memory" };

export interface EngineReplies {
  readonly probe: {
    readonly engine: string;
    readonly software: boolean;
    readonly features: readonly DeviceFeature[];
    readonly unavailable: string | null;
  };
  readonly start: null;
  readonly load: {
    readonly inputs: readonly ValueInfo[];
    readonly outputs: readonly ValueInfo[];
    readonly loadMs: number;
  };
  /** Of the first samples, as many as were run. `ms` is the time of all runs together, transfers excluded. */
  readonly run: { readonly outputs: readonly Tensors[]; readonly ms: number };
  readonly reduce: {
    /** Samples that were run for this answer. */
    readonly done: number;
    /** Samples that were sent and have still to be run. */
    readonly waiting: number;
    /** Null until the last sample was run. */
    readonly reduced: readonly Reduced[] | null;
  };
  readonly time: { readonly blocks: readonly BlockTimes[] };
  readonly "warm-up": { readonly plan: TimingPlan };
  readonly unload: null;
  readonly forget: null;
  /** Peak bytes of the process (Node) or of the WebAssembly heap; null where neither can be read. */
  readonly memory: { readonly peakBytes: number | null };
}

/** What travels back: a reply, or an error with the code it deserves. */
export type WireReply =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly code: string;
      readonly message: string;
      readonly hint: string | null;
    };

/** A live engine somewhere else. It is one at a time: `call` is never overlapped. */
export interface Channel {
  /** @throws PareError ENGINE when the engine refuses, ENGINE_CRASHED when it ended, ABORTED (the engine is then gone) */
  call<K extends EngineRequest["kind"]>(
    request: Extract<EngineRequest, { kind: K }>,
    signal?: AbortSignal,
  ): Promise<EngineReplies[K]>;
  readonly alive: boolean;
  dispose(): Promise<void>;
}
