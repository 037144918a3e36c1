import { type NamedBytes, sha256 } from "@pare/runtime/format";
import { batchSymbols, namedSymbol } from "../analysis/batch.js";
import { workloadOf } from "../analysis/workload.js";
import type { Graph } from "../ir/index.js";
import { bindShapes } from "../passes/bind-shapes.js";
import { simplifyGraph } from "../passes/simplify.js";
import { compiledOperators, compileToWasm, refusalsOf } from "../wasm/index.js";
import type { Proposal, Target } from "./target.js";

/**
 * No engine: the model is compiled to a WebAssembly module of its own, in which it computes in floats or in
 * integers. All sizes are fixed in it: a batch that nobody fixed is one.
 */
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
    const { fixed } = await fixedGraph(graph);
    const against = await refusalsOf(fixed);
    return against.map(({ what, why, hint, where, count }) => ({
      op: what,
      reason: hint === undefined ? why : `${why}, give ${hint}`,
      count,
      nodes: where,
    }));
  },
  assumption(graph) {
    const symbols = batchSymbols(graph);
    if (symbols.length === 0) return undefined;
    const [name] = batchNames(symbols);
    const other =
      name === undefined ? "--shape gives it another size" : `--dim ${name}=8 makes it eight`;
    return `A run takes one sample: its batch${name === undefined ? "" : ` (${batchNames(symbols).join(", ")})`} is fixed to 1 in the module; ${other}.`;
  },
  propose(graph) {
    const { full, pointwise, depthwise } = workloadOf(graph);
    if (full + pointwise + depthwise === 0) return [];
    return [int8Modules("int8-static", {}), int8Modules("int8-mixed", floatEnds, "mixed")];
  },
  async emit(graph, session) {
    const { fixed, batch } = await fixedGraph(graph);
    const { simd, relaxed, weights } = await compileToWasm(fixed, { weights: "once", batch });
    const beside = [relaxed && named(relaxed, "wasm"), weights && named(weights, "bin")].flatMap(
      (file) => file ?? [],
    );
    return {
      format: "wasm",
      files: [{ name: "model.wasm", bytes: simd }, ...(await Promise.all(beside))],
      session,
      requires: { features: ["simd"] },
    };
  },
};

/** A graph as it is compiled, and what of it was fixed to one: names of its batch; undefined where none was free. */
async function fixedGraph(
  graph: Graph,
): Promise<{ readonly fixed: Graph; readonly batch: readonly string[] | undefined }> {
  const fixed = graph.fork();
  const symbols = batchSymbols(fixed);
  const dims = Object.fromEntries(symbols.map((symbol) => [symbol, 1]));
  await bindShapes.create(bindShapes.parse({ dims })).run(fixed, {});
  await simplifyGraph(fixed, {});
  return { fixed, batch: symbols.length === 0 ? undefined : batchNames(symbols) };
}

/** Those that a file names. */
function batchNames(symbols: readonly string[]): readonly string[] {
  return symbols.flatMap((symbol) => namedSymbol(symbol) ?? []);
}

const floatEnds = { inputs: "float", outputs: "float" };

/**
 * Seven bits of an activation and eight of a weight have exact products in relaxed SIMD. Weights that stay float are not
 * stored smaller: a module would hold them as floats anyway.
 */
function int8Modules(
  name: string,
  options: Readonly<Record<string, unknown>>,
  precision: "int8" | "mixed" = "int8",
): Proposal {
  const own = { activationBits: 7, reduceRange: false, between: "integers", ranges: "mse" };
  return {
    name,
    precision,
    group: { steps: [{ use: "quantize-static", with: { ...own, ...options } }], required: false },
    withoutData: false,
  };
}

/** As a bundle names what lies beside a model. */
async function named(bytes: Uint8Array, ending: "wasm" | "bin"): Promise<NamedBytes> {
  return { name: `${await sha256(bytes)}.${ending}`, bytes };
}
