import { PareError, type TypedArray, visibleLine } from "@pare/runtime/format";
import { Graph, type NodeId, sameBytes, type ValueId } from "../ir/index.js";
import { emitTogether } from "./emit.js";
import { engines } from "./engine.js";
import { boundRows } from "./lower/bounded-rows.js";
import { lower } from "./lower/lower.js";
import { loweredForm } from "./lower/lowered-form.js";
import type { Arrays } from "./lower/node-facts.js";
import { malformedNodes, type Refusal, refusals, unconfirmedNodes } from "./lower/refusals.js";
import { leastMemory, mostMemory, overMemory, tooManyWeights } from "./lower/too-large.js";
import { constantImage, planMemory, planTogether } from "./plan/memory-plan.js";
import type { Plan } from "./plan/plan.js";

/**
 * Weights up to this many bytes are in the module, in both where there are two: who starts it asks for one file, and a page
 * waits milliseconds for each. More are beside it, so that it is small to compile and a bundle has them once.
 */
const mostInside = 1024 * 1024;

/** Tensors and weights of so many bytes fit, whatever halos and the rests of vectors add to them. */
const surelyFits = mostMemory / 8;

/** A model as WebAssembly. */
export interface CompiledModel {
  /** For every engine with SIMD. */
  readonly simd: Uint8Array;
  /** The same for engines with relaxed SIMD; undefined where it would be equal. */
  readonly relaxed: Uint8Array | undefined;
  /** What both read, where it is not inside them. */
  readonly weights: Uint8Array | undefined;
  readonly memory: {
    readonly arenaBytes: number;
    /** What buffers would take if they did not share memory. */
    readonly unsharedBytes: number;
    readonly constantBytes: number;
    readonly memoryBytes: number;
  };
}

export interface CompileOptions {
  /** Where weights go. By their size where not given. */
  readonly weights?: "inside" | "beside" | undefined;
}

/**
 * Compiles a simplified graph of fixed shapes to WebAssembly modules of its own.
 * @param graphs one, or the same model for several sizes, of which each has an entry of its own in one module, on the
 * same weights
 * @throws PareError UNSUPPORTED_OP with every reason, MODEL_LIMIT for one that needs more than 2 GiB
 */
export async function compileToWasm(
  graphs: Graph | readonly Graph[],
  { weights }: CompileOptions = {},
): Promise<CompiledModel> {
  const plans: Plan[] = [];
  for (const graph of graphs instanceof Graph ? [graphs] : graphs) {
    const heavy = tooManyWeights(graph);
    if (heavy !== undefined) throw tooLarge(heavy);
    plans.push(await planOf(graph));
  }
  const together = planTogether(plans);
  for (const { plan, memory: own } of together.entries) {
    const over = overMemory(plan, own.memoryBytes);
    if (over !== undefined) throw tooLarge(over);
  }
  const [first] = together.entries;
  if (first === undefined) throw new PareError("INTERNAL", "There is no graph to compile.");
  const { memory } = first;
  const bySize = memory.constantBytes <= mostInside ? "inside" : "beside";
  const where = weights ?? bySize;
  const [simd, relaxed] = engines.map((engine) => emitTogether(together, engine, where));
  if (simd === undefined || relaxed === undefined)
    throw new PareError("INTERNAL", "There is no engine to compile for.");
  return {
    simd,
    relaxed: sameBytes(simd, relaxed) ? undefined : relaxed,
    weights: where === "beside" ? constantImage(together, memory) : undefined,
    memory,
  };
}

function tooLarge(refusal: Refusal): PareError {
  return new PareError(
    "MODEL_LIMIT",
    `The model is too large for one module: ${refusalText(refusal)}.`,
    {
      where: refusal.where[0],
      hint: "Make it smaller, or use another target for it.",
    },
  );
}

/**
 * Everything that stands against compiling a simplified graph: its sizes, operators and types and, where none of these
 * does, the memory that it would take. That is planned only where it may be too much.
 * @param unsaid what is known to stand against nodes already
 */
export async function refusalsOf(
  graph: Graph,
  unsaid: ReadonlyMap<NodeId, string> = new Map(),
): Promise<readonly Refusal[]> {
  const malformed = malformedNodes(graph);
  if (malformed.length > 0) return malformed;
  const heavy = tooManyWeights(graph);
  const own = heavy === undefined ? await loweredForm(graph) : boundRows(graph);
  const form = { ...own, against: new Map([...own.against, ...unsaid]) };
  const against = [...refusals(form), ...(heavy === undefined ? [] : [heavy])];
  if (against.length > 0) return against;
  const unconfirmed = unconfirmedNodes(graph);
  if (unconfirmed.length > 0 || leastMemory(form.graph) < surelyFits) return unconfirmed;
  const plan = await planOf(graph);
  const over = overMemory(plan, planMemory(plan).memoryBytes);
  return over === undefined ? [] : [over];
}

/**
 * A simplified graph as calls of kernels.
 * @throws PareError UNSUPPORTED_OP with every reason
 */
export async function planOf(graph: Graph): Promise<Plan> {
  const malformed = malformedNodes(graph);
  if (malformed.length > 0) throw unsupported(malformed);
  const form = await loweredForm(graph);
  const against = refusals(form);
  if (against.length > 0) throw unsupported(against);
  const unconfirmed = unconfirmedNodes(graph);
  if (unconfirmed.length > 0) throw unsupported(unconfirmed);
  return lower(form, await arraysOf(form.graph));
}

function unsupported(against: readonly Refusal[]): PareError {
  return new PareError(
    "UNSUPPORTED_OP",
    `The model cannot be compiled to WebAssembly: ${against.map(refusalText).join("; ")}.`,
    {
      where: against.flatMap(({ where }) => where)[0],
      hint: hintOf(against),
    },
  );
}

/** One reason in words: `Resize (2 nodes, up_1, …): other modes are not compiled`. */
export function refusalText({ kind, what, why, hint, where, count }: Refusal): string {
  const said = hint === undefined ? why : `${why}, give ${hint}`;
  if (kind === "dimension" && where.length === 0) return visibleLine(`${what}: ${said}`);
  const others = count > where.length ? ", …" : "";
  return visibleLine(`${what} (${where.join(", ")}${others}): ${said}`);
}

function hintOf(against: readonly Refusal[]): string {
  const hints = [...new Set(against.flatMap(({ hint }) => hint ?? []))];
  return hints.length > 0
    ? `Fix what the model leaves open: ${hints.join(" ")}.`
    : "Use another target for it, which runs what its engine does.";
}

async function arraysOf(graph: Graph): Promise<Arrays> {
  const arrays = new Map<ValueId, TypedArray>();
  for (const id of graph.main.initializers) {
    const constant = graph.constant(id);
    if (constant !== undefined && constant.dtype !== "string")
      arrays.set(id, await constant.readArray());
  }
  return arrays;
}
