import { fileHash, isPareError, messageOf, type NamedBytes, PareError } from "@pare/runtime/format";
import { batchSymbols, namedSymbol } from "../analysis/batch.js";
import { workloadOf } from "../analysis/workload.js";
import { dim, type Graph, type NodeId } from "../ir/index.js";
import { keyOf } from "../ops/index.js";
import { bindShapes } from "../passes/bind-shapes.js";
import { sayClassical } from "../passes/classical/say-classical.js";
import { sayTexts } from "../passes/classical/texts.js";
import { sayNormalizations } from "../passes/normalizations/say-normalizations.js";
import { bothBranches } from "../passes/control-flow/both-branches.js";
import { unrollScans } from "../passes/control-flow/unroll-scans.js";
import { passHalvesAsFloats } from "../passes/float32/in-float32.js";
import { bringToFloat32 } from "../passes/normal-form.js";
import { sayProducts } from "../passes/products/say-products.js";
import { sayQuantized } from "../passes/quantized-operators/say-quantized.js";
import { sayPlaces } from "../passes/places/say-places.js";
import { saySpatial } from "../passes/spatial/say-spatial.js";
import { sayVolumes } from "../passes/volumes/say-volumes.js";
import { simplifyGraph } from "../passes/simplify.js";
import { bitsOfTables } from "../rules/bits-of-tables.js";
import { foldConstants, foldForModules } from "../rules/fold-constants.js";
import { cropBeforePad } from "../rules/pads.js";
import { runRules } from "../rules/run-rules.js";
import {
  compiledOperators,
  compileToWasm,
  decidedBy,
  type Refusal,
  refusalsOf,
} from "../wasm/index.js";
import { combinedSizes, type Sizes } from "./sizes.js";
import { fp16Weights, int8Dynamic, int8Weights, ofRepeats, storedAsInt8 } from "./proposals.js";
import type { Obstacle, Proposal, Target } from "./target.js";

/**
 * No engine: the model is compiled to a WebAssembly module of its own, in which it computes in floats or in
 * integers. All sizes are fixed in it: a batch that nobody fixed is one.
 */
export const aot: Target = {
  name: "aot",
  label: "aot (no engine)",
  format: "wasm",
  supports(op, domain, types) {
    if (!compiledOperators.includes(keyOf({ domain, op })))
      return { ok: false, why: `${op} is not compiled: the model goes to another target` };
    const [type] = types;
    return type === undefined || type === "float32"
      ? { ok: true }
      : { ok: false, why: `${op} is not compiled on ${type}: the model goes to another target` };
  },
  async obstacles(graph, sizes = {}) {
    try {
      const found = await refusalsAt(graph, sizes);
      return obstaclesOf([...found, ...(await refusalsOfAnySize(graph, sizes, found))]);
    } catch (error) {
      const { code, message, where } = asRefusal(error);
      if (code !== "UNSUPPORTED_OP" && code !== "PASS_FAILED") throw error;
      // No pass takes the model: that is the one reason there is.
      const nodes = where === undefined ? [] : [where];
      return [{ of: "model", op: "model", reason: message, count: 1, nodes }];
    }
  },
  assumption(graph, sizes = {}) {
    const symbols = freeBatch(graph, sizes);
    const several = Object.entries(sizes).map(
      ([symbol, own]) => `${symbol} is ${own.slice(0, -1).join(", ")} or ${own.at(-1)}`,
    );
    const entries =
      several.length === 0
        ? []
        : [`The module has an entry for each size, on the same weights: ${several.join("; ")}.`];
    const names = symbols.flatMap((symbol) => namedSymbol(symbol) ?? []);
    const batch = symbols.length === 0 ? [] : [batchText(names)];
    const said = [...batch, ...entries];
    return said.length === 0 ? undefined : said.join(" ");
  },
  propose(graph) {
    const { full, pointwise, depthwise, matmul, weightBytes } = workloadOf(graph);
    const ofImages =
      full + pointwise + depthwise > 0
        ? [int8Modules("int8-static", {}), int8Modules("int8-mixed", floatEnds, "mixed")]
        : [];
    // Its sums are exact whatever the machine, so that all eight bits can be used.
    const ofMatrices = matmul > 0 ? [int8Dynamic({ reduceRange: false }, "dequantize")] : [];
    const ofWeights = weightBytes > 0 ? [int8Weights("dequantize"), fp16Weights] : [];
    return [...ofImages, ...ofMatrices, ...ofRepeats(graph, "dequantize"), ...ofWeights];
  },
  async emit(graph, session, sizes) {
    const { simd, relaxed, weights } = await compiled(graph, sizes).catch((error: unknown) => {
      throw asRefusal(error);
    });
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

async function compiled(graph: Graph, sizes?: Sizes): ReturnType<typeof compileToWasm> {
  const graphs = await fixedGraphs(graph, sizes);
  return compileToWasm(graphs.map((fixed) => fixed.graph));
}

/** What nobody foresaw is a reason against this target, and none against the others. */
function asRefusal(error: unknown): PareError {
  if (isPareError(error)) return error;
  return new PareError("PASS_FAILED", `The compiler failed: ${messageOf(error)}`, {
    hint: "Where there was memory enough it is a fault of Pare's: report it, with the model. Other targets take it.",
    cause: error,
  });
}

/** Of a free dim, to see what stands against operators whatever it is. */
const guessedSize = 64;

/** Dims of inputs that neither a user nor the target fixes. */
function freeSizes(graph: Graph, sizes: Sizes): readonly string[] {
  const fixed = new Set([...freeBatch(graph, sizes), ...Object.keys(sizes)]);
  const free = new Set<string>();
  for (const id of graph.main.inputs) {
    const { type } = graph.value(id);
    if (type.kind !== "tensor") continue;
    for (const size of type.shape ?? [])
      for (const symbol of dim.symbolsOf(size)) if (!fixed.has(symbol)) free.add(symbol);
  }
  return [...free];
}

/**
 * Most of what stands against operators is known only where sizes are: what does against those of which nothing was found,
 * were free dims of a guessed size. Where a model cannot be of that size, nothing.
 */
async function refusalsOfAnySize(
  graph: Graph,
  sizes: Sizes,
  found: readonly Refusal[],
): Promise<readonly Refusal[]> {
  const free = freeSizes(graph, sizes);
  if (free.length === 0) return [];
  const guessed = Object.fromEntries(free.map((symbol) => [symbol, [guessedSize]]));
  const others = await refusalsAt(graph, { ...sizes, ...guessed }).catch((error: unknown) => {
    if (error instanceof PareError) return [];
    throw error;
  });
  if (others.some(({ kind }) => kind === "invalid")) return [];
  const known = new Set(found.map(({ what }) => what));
  return others.filter(({ kind, what }) => kind === "operator" && !known.has(what));
}

async function refusalsAt(graph: Graph, sizes: Sizes): Promise<readonly Refusal[]> {
  const found: Refusal[] = [];
  for (const fixed of await fixedGraphs(graph, sizes))
    found.push(...(await refusalsOf(fixed.graph, fixed.unsaid)));
  return found;
}

/** Of another size the same is said of the same nodes. */
function obstaclesOf(refused: readonly Refusal[]): readonly Obstacle[] {
  const found = new Map<string, Obstacle>();
  for (const { kind, what, why, hint, where, count } of refused) {
    const reason = hint === undefined ? why : `${why}, give ${hint}`;
    const key = `${what}: ${reason}`;
    const of = kind === "operator" || kind === "invalid" ? "nodes" : "model";
    const option = hint === undefined ? {} : { option: hint };
    if (!found.has(key)) found.set(key, { of, op: what, reason, ...option, count, nodes: where });
  }
  return [...found.values()];
}

interface FixedGraph {
  readonly graph: Graph;
  /** Why nodes of other domains stay as they are. */
  readonly unsaid: ReadonlyMap<NodeId, string>;
}

/**
 * A graph as it is compiled, for each size that is wanted. A batch that nobody gave one is one.
 * @throws PareError ARGUMENT for a dim that it does not have, or too many sizes
 */
async function fixedGraphs(graph: Graph, sizes: Sizes = {}): Promise<readonly FixedGraph[]> {
  const one = Object.fromEntries(freeBatch(graph, sizes).map((symbol) => [symbol, 1]));
  const graphs: FixedGraph[] = [];
  for (const wanted of combinedSizes(sizes)) {
    const fixed = graph.fork();
    await bindShapes.create(bindShapes.parse({ dims: { ...one, ...wanted } })).run(fixed, {});
    await bringToFloat32(fixed);
    sayTexts(fixed);
    const said = [
      sayClassical(fixed),
      sayNormalizations(fixed),
      saySpatial(fixed),
      sayVolumes(fixed),
      sayQuantized(fixed),
    ];
    await simplifyGraph(fixed, {});
    await runRules(fixed, [bitsOfTables, foldForModules, foldConstants, cropBeforePad], {});
    const before = fixed.changes;
    said.push(sayPlaces(fixed));
    said.push(bothBranches(fixed, (node) => decidedBy(fixed, node) !== undefined));
    said.push(unrollScans(fixed));
    if (fixed.changes !== before) await simplifyGraph(fixed, {});
    passHalvesAsFloats(fixed);
    // Simplifying makes one node of a product and whatever is added to it.
    const unsaid = new Map([...said, sayProducts(fixed)].flatMap((left) => [...left]));
    graphs.push({ graph: fixed, unsaid });
  }
  return graphs;
}

function freeBatch(graph: Graph, sizes: Sizes): readonly string[] {
  return batchSymbols(graph).filter((symbol) => !Object.hasOwn(sizes, symbol));
}

function batchText(names: readonly string[]): string {
  const [name] = names;
  const other =
    name === undefined
      ? "--shape gives it another size"
      : `${names.map((one) => `--dim ${one}=8`).join(" ")} makes it eight`;
  const named = name === undefined ? "" : ` (${names.join(", ")})`;
  return `A run takes one sample: its batch${named} is fixed to 1 in the module; ${other}.`;
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
    group: {
      steps: [{ use: "quantize-static", with: { ...own, ...options } }, storedAsInt8("dequantize")],
      required: false,
    },
    withoutData: false,
  };
}

/** As a bundle names what lies beside a model. */
async function named(bytes: Uint8Array, ending: "wasm" | "bin"): Promise<NamedBytes> {
  return { name: `${await fileHash(bytes)}.${ending}`, bytes };
}
