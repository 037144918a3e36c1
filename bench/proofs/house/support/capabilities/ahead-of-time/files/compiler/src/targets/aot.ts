import { compileModule } from "./module/compile.js";
import { kernelFor } from "./module/kernels.js";
import type { Target } from "./target.js";

/** No engine: the model is compiled to a WebAssembly module of its own. */
export const aot: Target = {
  name: "aot",
  label: "aot (a module of its own)",
  format: "wasm",
  supports: (op, domain) =>
    kernelFor(op, domain) === undefined ? { ok: false, why: "it has no kernel" } : { ok: true },
  propose: () => [],
  async emit(graph, session) {
    const bytes = await compileModule(graph);
    return {
      format: "wasm",
      files: [{ name: "model.wasm", bytes }],
      session,
      requires: { features: [] },
    };
  },
};
