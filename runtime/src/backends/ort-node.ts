import type { Backend } from "../format/engine/backend.js";
import type { Artifact } from "../format/engine/artifact.js";
import { PareError } from "../format/error.js";
import { checkOptions } from "./check-options.js";
import { externalLocations } from "./external-locations.js";
import { engineName, importEngine, type Ort, probed } from "./ort.js";
import { sessionInPlace } from "./ort-in-place.js";
import { createSession } from "./ort-session.js";

export interface CpuOptions {
  /** Threads within an operator; 1 where not given, which is what Pare measures with. */
  readonly threads?: number | undefined;
}

const engine = "onnxruntime-node";

/**
 * The `cpu` target: onnxruntime-node, in Node and Electron. It blocks the event loop while it runs.
 * @throws PareError ARGUMENT
 */
export function cpu(options: CpuOptions = {}): Backend {
  checkOptions("cpu", options);
  return {
    target: "cpu",
    engine,
    probe: () => probed(async () => ({ engine: engineName(engine, await importOrt()) })),
    async load(artifact, loadOptions = {}) {
      demandOwnFiles(artifact);
      const intraOpNumThreads = loadOptions.threads ?? options.threads ?? 1;
      return createSession(
        await importOrt(),
        engine,
        artifact,
        { executionProviders: ["cpu"], intraOpNumThreads, interOpNumThreads: 1 },
        loadOptions,
        sessionInPlace,
      );
    },
  };
}

/** The engine would read any other file that a model names from the current folder: a bundle is a stranger's. */
function demandOwnFiles({ files: [model, ...external] }: Artifact): void {
  // What is no message, the engine refuses in its own words.
  for (const location of externalLocations(model.bytes) ?? []) {
    if (external.some(({ name }) => name === location)) continue;
    throw new PareError(
      "EXTERNAL_DATA",
      "The model refers to a file of weights that does not come with it.",
      { where: location },
    );
  }
}

async function importOrt(): Promise<Ort> {
  const ort = await importEngine(engine, () => import("onnxruntime-node"));
  return "Float16Array" in globalThis ? { ...ort, Tensor: showingBits(ort.Tensor) } : ort;
}

/** Where there is a Float16Array, onnxruntime's tensors make one of bits, and its binding to Node takes bits alone. */
function showingBits(Tensor: Ort["Tensor"]): Ort["Tensor"] {
  return new Proxy(Tensor, {
    construct(Target, given: ConstructorParameters<Ort["Tensor"]>) {
      const made = new Target(...given);
      const bits = given.find((one) => one instanceof Uint16Array);
      return bits === undefined ? made : Object.defineProperty(made, "data", { value: bits });
    },
  });
}
