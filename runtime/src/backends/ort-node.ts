import type { Backend } from "../format/engine/backend.js";
import { messageOf } from "../format/error.js";
import { createSession, importEngine, type Ort } from "./ort-session.js";

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
    async load(artifact, loadOptions = {}) {
      const intraOpNumThreads = loadOptions.threads ?? options.threads ?? 1;
      return createSession(
        await importOrt(),
        engine,
        artifact,
        { executionProviders: ["cpu"], intraOpNumThreads, interOpNumThreads: 1 },
        loadOptions,
      );
    },
  };
}

function importOrt(): Promise<Ort> {
  return importEngine(engine, () => import("onnxruntime-node"));
}
