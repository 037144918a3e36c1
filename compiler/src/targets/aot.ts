import { type NamedBytes, sha256 } from "@pare/runtime/format";
import { simplifyGraph } from "../passes/simplify.js";
import { compiledOperators, compileToWasm, refusals } from "../wasm/index.js";
import type { Target } from "./target.js";

/** No engine: the model is compiled to a WebAssembly module of its own, in which it computes in float32. */
export const aot: Target = {
  name: "aot",
  label: "aot (no engine)",
  format: "wasm",
  supports(op, domain, types) {
    if (domain !== "" || !compiledOperators.includes(op))
      return { ok: false, why: `${op} is not compiled: the model goes to another target` };
    const [type] = types;
    return type === undefined || type === "float32"
      ? { ok: true }
      : { ok: false, why: `${op} is not compiled on ${type}: the model goes to another target` };
  },
  async obstacles(graph) {
    const simplified = graph.fork();
    await simplifyGraph(simplified, {});
    return refusals(simplified).map(({ what, why, hint, where, count }) => ({
      op: what,
      reason: hint === undefined ? why : `${why}, give ${hint}`,
      count,
      nodes: where,
    }));
  },
  propose: () => [],
  async emit(graph, session) {
    const simplified = graph.fork();
    await simplifyGraph(simplified, {});
    const first = await compileToWasm(simplified, {});
    // Where there are two modules, weights are in neither: who loads one of them needs them once.
    const { simd, relaxed, weights } =
      first.relaxed === undefined ? first : await compileToWasm(simplified, { weights: "beside" });
    const beside = [relaxed, weights].flatMap((bytes) => bytes ?? []);
    return {
      format: "wasm",
      files: [{ name: "model.wasm", bytes: simd }, ...(await Promise.all(beside.map(named)))],
      session,
      requires: { features: ["simd"] },
    };
  },
};

/** As a bundle names what lies beside a model. */
async function named(bytes: Uint8Array): Promise<NamedBytes> {
  return { name: `${await sha256(bytes)}.bin`, bytes };
}
