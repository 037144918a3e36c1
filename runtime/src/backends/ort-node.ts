import type { Backend, ModelSource } from "../format/engine/backend.js";
import { messageOf } from "../format/error.js";
import { createSession, importEngine, type ModelBytes, type Ort } from "./ort-session.js";
import { readSource } from "./read-source.js";

export interface CpuOptions {
  /** Threads within an operator; 1 where not given, which is what Pare measures with. */
  readonly threads?: number;
}

const engine = "onnxruntime-node";

/** The `cpu` target: onnxruntime-node, in Node and Electron. It blocks the event loop while it runs. */
export function cpu(options: CpuOptions = {}): Backend {
  return {
    target: "cpu",
    engine,
    async probe() {
      try {
        const ort = await importOrt();
        return {
          ok: true,
          engine: `${engine} ${ort.env.versions.node ?? ort.env.versions.common}`,
        };
      } catch (error) {
        return { ok: false, why: messageOf(error) };
      }
    },
    async load(model, loadOptions = {}) {
      const [ort, source] = await Promise.all([importOrt(), openModel(model)]);
      const intraOpNumThreads = loadOptions.threads ?? options.threads ?? 1;
      return createSession(
        ort,
        engine,
        source,
        { executionProviders: ["cpu"], intraOpNumThreads, interOpNumThreads: 1 },
        loadOptions,
      );
    },
  };
}

/** A path goes to the engine as it is: it maps the file and finds external data beside it. */
function openModel(model: ModelSource): ModelBytes | Promise<ModelBytes> {
  return "path" in model
    ? { model: model.path, external: new Map<string, Uint8Array>() }
    : readSource(model);
}

function importOrt(): Promise<Ort> {
  return importEngine(engine, () => import("onnxruntime-node"));
}
