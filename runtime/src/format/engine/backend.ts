import type { PareError } from "../error.js";
import type { Feeds, Tensors } from "../tensor/tensor.js";
import type { ValueInfo } from "../tensor/value-info.js";
import type { Artifact } from "./artifact.js";
import type { Incoming } from "./incoming.js";
import type { Reduced, ReduceOptions, Reduction } from "./reduction.js";
import type { DeviceFeature } from "./requirements.js";
import type { RunSync, StatePairs, Stream, SyncStream } from "./run-sync.js";

export const targetNames = ["aot", "wasm", "webgpu", "cpu", "webnn"] as const;
export type TargetName = (typeof targetNames)[number];

export interface LoadOptions {
  /** 1 where not given. */
  readonly threads?: number;
  readonly signal?: AbortSignal | undefined;
}

/** As the global one. An app's own can send credentials, or keep files in Cache Storage. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface StartOptions {
  /** Bytes of the engine so far, decoded, and how many there will be: a guess until the server says. */
  readonly onBytes?: ((received: number, total: number) => void) | undefined;
  readonly fetch?: Fetch | undefined;
  /** Of one who waits: when none does any more, a download that is under way ends. */
  readonly signal?: AbortSignal | undefined;
}

export interface Session {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /**
   * The outputs belong to the caller.
   * @param into where outputs may lie, by name, of their own types and dims: an engine that can writes them there and gives
   * these arrays back; another gives its own. With it, feeds are lent too: they and these arrays are the session's until the
   * run has ended, and after an abort for good.
   */
  run(feeds: Feeds, signal?: AbortSignal, into?: Tensors): Promise<Tensors>;
  /** `reduceOutputs` where the engine is: only what is wanted of outputs is sent. */
  reduce?(
    samples: AsyncIterable<Tensors>,
    reductions: readonly Reduction[],
    options: ReduceOptions,
  ): Promise<readonly Reduced[]>;
  /** Where the engine computes on the caller's thread: see `SyncSession`. */
  readonly runSync?: RunSync;
  /** @throws PareError ARGUMENT for pairs that are no output and input of one type and size */
  readonly stream?: (state: StatePairs) => Stream;
  /** After the runs that are under way; later ones are refused as DISPOSED. Twice is once. */
  dispose(): Promise<void>;
}

/** A session that computes on the caller's thread, to the end before it returns. */
export interface SyncSession extends Session {
  /** @throws PareError INPUT, ENGINE, DISPOSED */
  readonly runSync: RunSync;
  readonly stream: (state: StatePairs) => SyncStream;
}

/** Loads what a target emits and runs feeds; the compiler is handed one and never imports an engine. */
export interface Executor {
  load(artifact: Artifact, options?: LoadOptions): Promise<Session>;
}

/** What a backend finds here: the engine with its version, or why it cannot run. */
export type Probe =
  | {
      readonly ok: true;
      /** `onnxruntime-web 1.30.0 (WebGPU: google swiftshader)` */
      readonly engine: string;
      /** The GPU is emulated on the CPU: right answers, worthless times. */
      readonly software?: boolean;
      /** What the device adds to what WebAssembly itself shows: `shader-f16`. */
      readonly features?: readonly DeviceFeature[];
    }
  | {
      readonly ok: false;
      readonly why: string;
      /** Where more is known than that the device cannot: with the code, the cause and what to do. */
      readonly error?: PareError;
    };

/** The first is the model. */
type Files<File> = readonly [File, ...File[]];

/** One target on one engine; a value that the caller passes, so that a bundler drops what is not used. */
export interface Backend extends Executor {
  readonly target: TargetName;
  /** The npm package of the engine. */
  readonly engine: string;
  probe(): Promise<Probe>;
  /**
   * Fetches and starts the engine, once per realm, so that it comes while the model does; `load` waits for it in any case.
   * Goes on to its end when a load is aborted: the next one has it.
   */
  start?(options?: StartOptions): Promise<void>;
  /** Of a variant's files those that this device needs, before any is downloaded: all, where it does not say. */
  needs?<File extends { readonly path: string }>(files: Files<File>): Files<File>;
  /** For a file that can be worked on while it comes. */
  receive?(name: string): Incoming | undefined;
}

/** A backend whose sessions compute at once. */
export interface SyncBackend extends Backend {
  load(artifact: Artifact, options?: LoadOptions): Promise<SyncSession>;
}
