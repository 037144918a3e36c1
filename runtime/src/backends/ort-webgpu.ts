import type { Backend } from "../format/engine/backend.js";
import type { DeviceFeature } from "../format/engine/requirements.js";
import { messageOf } from "../format/error.js";
import { engineName, probed } from "./ort.js";
import { engine, type WebBuild, type WebOptions } from "./web-build.js";
import { importBuild, webBackend } from "./web-engine.js";

/** From 1.23 on. */
let file = "ort-wasm-simd-threaded.asyncify";

const build: WebBuild = {
  provider: "webgpu",
  async import() {
    const ort = await import("onnxruntime-web/webgpu");
    if (ort.env.versions.common.startsWith("1.22.")) file = "ort-wasm-simd-threaded.jsep";
    return ort;
  },
  get file() {
    return file;
  },
  bytes: 26_800_000,
  wasm: () => new URL("onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm", import.meta.url),
  mjs: () => new URL("onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs", import.meta.url),
};

/**
 * The `webgpu` target: onnxruntime-web on the GPU, in browsers that have WebGPU.
 * @throws PareError ARGUMENT
 */
export function webgpu(options: WebOptions = {}): Backend {
  return {
    ...webBackend(build, options),
    async probe() {
      const gpu = await findGpu();
      if (typeof gpu === "string") return { ok: false, why: gpu };
      const { name, ...found } = gpu;
      return probed(async () => ({
        engine: engineName(engine, await importBuild(build), ` (WebGPU: ${name})`),
        ...found,
      }));
    },
  };
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
