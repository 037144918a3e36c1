import { importOrtWasm } from "#platform";
import type { Artifact } from "../format/engine/artifact.js";
import type { Backend, LoadOptions, Probe, Session } from "../format/engine/backend.js";
import type { DeviceFeature } from "../format/engine/requirements.js";
import { messageOf, PareError } from "../format/error.js";
import { createSession, importEngine, type Ort } from "./ort-session.js";

export interface WebOptions {
  /**
   * Threads of the WebAssembly part. Where not given: in a page that is cross-origin isolated half of the
   * cores, at most 4; elsewhere 1. The engine starts once per realm: what its first model asked for holds.
   */
  readonly threads?: number;
  /** Where the engine's own `.wasm` and `.mjs` are served from: a folder's URL, or both URLs. */
  readonly wasmPaths?: string | { readonly wasm?: string | URL; readonly mjs?: string | URL };
}

const engine = "onnxruntime-web";

/** The `wasm` target: onnxruntime-web on the CPU, in browsers, workers and Node. */
export function wasm(options: WebOptions = {}): Backend {
  const importOrt = (): Promise<Ort> => importEngine(engine, importOrtWasm);
  return {
    target: "wasm",
    engine,
    async probe() {
      if (typeof WebAssembly === "undefined")
        return { ok: false, why: "There is no WebAssembly here." };
      return probeEngine(importOrt, "");
    },
    load: (artifact, loadOptions = {}) => load(importOrt, "wasm", artifact, options, loadOptions),
  };
}

/** The `webgpu` target: onnxruntime-web on the GPU, in browsers that have WebGPU. */
export function webgpu(options: WebOptions = {}): Backend {
  const importOrt = (): Promise<Ort> =>
    importEngine(engine, () => import("onnxruntime-web/webgpu"));
  return {
    target: "webgpu",
    engine,
    async probe() {
      const gpu = await findGpu();
      if (typeof gpu === "string") return { ok: false, why: gpu };
      const found = await probeEngine(importOrt, ` (WebGPU: ${gpu.name})`);
      return found.ok ? { ...found, software: gpu.software, features: gpu.features } : found;
    },
    load: (artifact, loadOptions = {}) => load(importOrt, "webgpu", artifact, options, loadOptions),
  };
}

async function probeEngine(importOrt: () => Promise<Ort>, device: string): Promise<Probe> {
  try {
    const { versions } = (await importOrt()).env;
    return { ok: true, engine: `${engine} ${versions.web ?? versions.common}${device}` };
  } catch (error) {
    return { ok: false, why: messageOf(error) };
  }
}

async function load(
  importOrt: () => Promise<Ort>,
  provider: "wasm" | "webgpu",
  artifact: Artifact,
  web: WebOptions,
  options: LoadOptions,
): Promise<Session> {
  const ort = await importOrt();
  configure(ort, options.threads ?? web.threads, web.wasmPaths);
  // Given as a bare string, the WebGPU provider ignores enableGraphCapture.
  return createSession(
    ort,
    engine,
    artifact,
    { executionProviders: [{ name: provider }] },
    options,
  );
}

/** Sets what the engine reads when it starts, unless the app, or an earlier model, has. */
function configure(ort: Ort, asked: number | undefined, wasmPaths: WebOptions["wasmPaths"]): void {
  const flags = ort.env.wasm;
  const threads = sharedMemory() ? (asked ?? defaultThreads()) : 1;
  flags.numThreads ??= threads;
  if (asked !== undefined && flags.numThreads !== threads) {
    throw new PareError(
      "ENGINE",
      `${engine} already runs with ${flags.numThreads} thread(s) here, and cannot change to ${threads}.`,
      {
        where: engine,
        hint: "Give every model of one page or worker the same threads, or load this one in a worker of its own.",
      },
    );
  }
  if (wasmPaths !== undefined)
    flags.wasmPaths ??= typeof wasmPaths === "string" ? wasmPaths : { ...wasmPaths };
}

function inBrowser(): boolean {
  return typeof globalThis.crossOriginIsolated === "boolean";
}

function sharedMemory(): boolean {
  return (
    typeof SharedArrayBuffer !== "undefined" && (!inBrowser() || globalThis.crossOriginIsolated)
  );
}

function defaultThreads(): number {
  return inBrowser() ? Math.max(1, Math.min(4, Math.floor(navigator.hardwareConcurrency / 2))) : 1;
}

/** The parts of WebGPU that a probe reads; TypeScript's DOM types do not have them yet. */
interface GpuAdapter {
  readonly features: ReadonlySet<string>;
  readonly isFallbackAdapter?: boolean;
  readonly info?: {
    readonly vendor: string;
    readonly architecture: string;
    readonly description: string;
    readonly isFallbackAdapter?: boolean;
  };
}

interface Gpu {
  readonly name: string;
  readonly software: boolean;
  readonly features: readonly DeviceFeature[];
}

async function findGpu(): Promise<Gpu | string> {
  const gpu = (
    globalThis.navigator as { gpu?: { requestAdapter(): Promise<GpuAdapter | null> } } | undefined
  )?.gpu;
  if (gpu === undefined) return "There is no WebGPU here.";
  const adapter = await gpu.requestAdapter().catch(messageOf);
  if (adapter === null) return "WebGPU finds no GPU.";
  if (typeof adapter === "string") return `WebGPU failed: ${adapter}`;
  const { info } = adapter;
  const name = [info?.vendor, info?.architecture].filter(Boolean).join(" ") || "unknown";
  const software =
    Boolean(adapter.isFallbackAdapter ?? info?.isFallbackAdapter) ||
    /swiftshader|llvmpipe|lavapipe|basic render/i.test(`${name} ${info?.description}`);
  return {
    name,
    software,
    features: adapter.features.has("shader-f16") ? ["webgpu", "shader-f16"] : ["webgpu"],
  };
}
