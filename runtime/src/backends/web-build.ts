import { type ErrorCode, PareError } from "../format/error.js";
import type { Ort } from "./ort.js";

export interface WebOptions {
  /**
   * Threads of the WebAssembly part. Where not given: in a page that is cross-origin isolated half of the cores, at most
   * 4, if the engine's own `.mjs` is found, from which they start; elsewhere 1. The engine starts once per realm: what its
   * first model asked for holds.
   */
  readonly threads?: number | undefined;
  /** Where the engine's own `.wasm` and `.mjs` are served from: a folder's URL, or both URLs. */
  readonly wasmPaths?:
    | string
    | { readonly wasm?: string | URL; readonly mjs?: string | URL }
    | undefined;
}

/** A build of onnxruntime-web. */
export interface WebBuild {
  readonly provider: "wasm" | "webgpu";
  import(): Promise<Ort>;
  /** The name of its own files, without ending. */
  readonly file: string;
  /** Of the `.wasm` file, about. */
  readonly bytes: number;
  /** As literals of the kind that bundlers follow. */
  readonly wasm: () => URL;
  readonly mjs: () => URL;
}

export const engine = "onnxruntime-web";

/** An error of the engine, not of a model. */
export function fault(
  code: ErrorCode,
  message: string,
  hint: string,
  cause?: unknown,
  where: string = engine,
): PareError {
  return new PareError(code, `${engine} ${message}.`, { where, hint, cause });
}

export function inBrowser(): boolean {
  return typeof globalThis.crossOriginIsolated === "boolean";
}
