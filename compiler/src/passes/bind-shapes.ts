import { elementCount, PareError } from "@pare/runtime/format";
import {
  edit,
  type Dim,
  dim,
  type Graph,
  isStatic,
  substituted,
  Tensor,
  tensorType,
  type Value,
  type ValueType,
} from "../ir/index.js";
import { convert, inferAll } from "../ops/index.js";
import { boolean, either, integer, listOf, number, recordOf, text } from "../pipeline/kinds.js";
import { option, type OptionsOf } from "../pipeline/options.js";
import { definePass } from "../pipeline/pass.js";
import { constantsToInitializers } from "./constants-to-initializers.js";
import { dropBranches } from "./drop-branches.js";
import { demandFit, misfits } from "./fitting-sizes.js";

const size = integer();

const described = {
  shapes: option(
    recordOf(listOf(either(size, text))),
    {},
    "Input → its dims; a dim that is text becomes that symbol.",
  ),
  dims: option(recordOf(size), {}, "Symbol → its size, wherever it stands."),
  constants: option(
    recordOf(either(number, boolean, listOf(number))),
    {},
    "Input → the value that it always has: it is an input no longer.",
  ),
};

export type BindShapesOptions = OptionsOf<typeof described>;

/** `--shape images=1x3x640x640`, `--dim sequence=128`, `--const sr=16000`. */
export const bindShapes = definePass({
  name: "bind-shapes",
  summary: "give free dims their sizes, and inputs that never change their value",
  options: described,
  create: (options) => ({ exactness: "bitwise", run: (graph) => bind(graph, options) }),
});

async function bind(graph: Graph, options: BindShapesOptions): Promise<void> {
  const named = [...Object.keys(options.shapes), ...Object.keys(options.constants)];
  if (named.length === 0 && Object.keys(options.dims).length === 0) return;
  // What sizes come to follows from them.
  constantsToInitializers(graph);
  const misfitting = misfits(graph);
  const inputs = new Map(graph.main.inputs.map((id) => [graph.value(id).name, graph.value(id)]));
  for (const name of named) {
    if (!inputs.has(name)) {
      throw new PareError("ARGUMENT", `The model has no input "${name}".`, {
        where: name,
        hint: `Its inputs are ${[...inputs.keys()].join(", ")}.`,
      });
    }
  }
  const shapes = new Map(Object.entries(options.shapes));
  const bindings = new Map<string, Dim>(Object.entries(options.dims));
  requireSymbols(graph, bindings);
  for (const [name, sizes] of shapes) unify(inputs.get(name), sizes, bindings, options.dims);
  const own = new Set(graph.main.inputs);
  const wanted = (value: Value): ValueType => {
    const sizes = shapes.get(value.name);
    const dtype = value.type.kind === "tensor" ? value.type.dtype : undefined;
    if (sizes !== undefined && own.has(value.id))
      return tensorType(
        dtype,
        sizes.map((size) => (typeof size === "string" ? dim.symbol(size) : size)),
      );
    return substituted(value.type, bindings);
  };
  const others = [...inputs.values()].filter(({ name }) => !Object.hasOwn(options.constants, name));
  const overrides = [...shapes].some(([name, sizes]) => contradicts(inputs.get(name), sizes));
  edit(
    graph,
    "bind-shapes",
    (editor) => {
      for (const value of graph.allValues()) {
        if (value.constant !== undefined) continue;
        // Those of bodies follow from what their nodes are given.
        const isInput = own.has(value.id);
        const type = isInput || !overrides ? wanted(value) : forgotten(value.type);
        editor.setType(value.id, type, isInput ? value.elements : undefined);
      }
      for (const [name, value] of Object.entries(options.constants)) {
        const input = inputs.get(name);
        if (input === undefined) continue;
        demandOwnSizes(input, others);
        editor.replace(
          input.id,
          editor.constant(name, constantTensor(input, value)),
          `is always ${String(value)}`,
        );
        if (graph.hasValue(input.id)) editor.removeInputs([input.id]);
      }
    },
    { interface: true },
  );
  inferAll(graph);
  await dropBranches(graph);
  demandFit(graph, misfitting);
}

/** A size for a symbol of that input binds the symbol everywhere. */
function unify(
  input: Value | undefined,
  sizes: readonly (number | string)[],
  bindings: Map<string, Dim>,
  dims: Readonly<Record<string, number>>,
): void {
  const shape = input?.type.kind === "tensor" ? input.type.shape : undefined;
  if (input === undefined || shape === undefined) return;
  if (shape.length !== sizes.length) {
    throw new PareError(
      "ARGUMENT",
      `Input "${input.name}" has ${shape.length} dims, but ${sizes.length} were given.`,
      { where: input.name, hint: `Its shape is [${shape.join(", ")}].` },
    );
  }
  shape.forEach((size, axis) => {
    const given = sizes[axis];
    if (typeof size === "number" || given === undefined) return;
    const [symbol] = [...dim.symbolsOf(size)];
    if (symbol === undefined || size !== dim.symbol(symbol)) return;
    const other = Object.hasOwn(dims, symbol) ? dims[symbol] : undefined;
    if (other !== undefined && other !== given) {
      throw new PareError(
        "ARGUMENT",
        `The dim "${symbol}" is to be ${other}, and ${given} in the shape of "${input.name}".`,
        { where: input.name, hint: "Give it one size, by one of the two." },
      );
    }
    bindings.set(symbol, typeof given === "string" ? dim.symbol(given) : given);
  });
}

/**
 * A constant is as large as it is given. Sizes that it shares with another input, or more than one that are free, are not its to
 * choose.
 */
function demandOwnSizes(input: Value, others: readonly Value[]): void {
  const own = symbolsIn(input);
  const sharing = others.flatMap((other) =>
    [...symbolsIn(other)].filter((symbol) => own.has(symbol)).map((symbol) => ({ other, symbol })),
  );
  const [shared] = sharing;
  if (shared === undefined && own.size < 2) return;
  const shape = input.type.kind === "tensor" ? (input.type.shape ?? []).join(", ") : "";
  const why =
    shared === undefined ? "" : `, and "${shared.symbol}" is a dim of "${shared.other.name}" too`;
  throw new PareError(
    "ARGUMENT",
    `Input "${input.name}" is of shape [${shape}]${why}: how large a constant it is to be is not known.`,
    { where: input.name, hint: "Give its sizes as well, with --dim or --shape." },
  );
}

function symbolsIn({ type }: Value): Set<string> {
  const symbols = new Set<string>();
  if (type.kind === "tensor") for (const size of type.shape ?? []) dim.symbolsOf(size, symbols);
  return symbols;
}

function requireSymbols(graph: Graph, bindings: ReadonlyMap<string, Dim>): void {
  const symbols = new Set<string>();
  for (const id of graph.main.inputs) {
    const { type } = graph.value(id);
    if (type.kind === "tensor") for (const size of type.shape ?? []) dim.symbolsOf(size, symbols);
  }
  for (const name of bindings.keys()) {
    if (symbols.has(name)) continue;
    const free = [...symbols].filter((symbol) => !symbol.startsWith("?"));
    const hint =
      free.length === 0
        ? "No input has a named free dim; use --shape."
        : `The free dims are ${free.join(", ")}.`;
    throw new PareError("ARGUMENT", `No input has a dim "${name}".`, { where: name, hint });
  }
}

/** Does a given shape change a number that the file declares? Then what it declares of inner values is void too. */
function contradicts(input: Value | undefined, sizes: readonly (number | string)[]): boolean {
  const shape = input?.type.kind === "tensor" ? input.type.shape : undefined;
  return shape?.some((size, axis) => typeof size === "number" && size !== sizes[axis]) ?? false;
}

function forgotten(type: ValueType): ValueType {
  return type.kind === "tensor" ? tensorType(type.dtype, undefined) : type;
}

/** Constants that are written out are read as a whole. */
const mostFilled = 2 ** 20;

function countOf(input: Value, dims: readonly number[]): number {
  const count = elementCount(dims);
  if (count <= mostFilled) return count;
  throw new PareError(
    "ARGUMENT",
    `Input "${input.name}" has ${count} elements: more than ${mostFilled} are made no constant.`,
    { where: input.name },
  );
}

function constantTensor(input: Value, value: number | boolean | readonly number[]): Tensor {
  const { type } = input;
  const where = { where: input.name };
  if (type.kind !== "tensor" || type.dtype === undefined)
    throw new PareError(
      "ARGUMENT",
      `The type of input "${input.name}" is not known, so it cannot be made a constant.`,
      where,
    );
  const declared = type.shape ?? [];
  // One number is that of every element, where it is known how many there are.
  const isFilled = !Array.isArray(value) && isStatic(declared);
  const values = isFilled
    ? Array.from({ length: countOf(input, declared) }, () => Number(value))
    : ([value].flat().map(Number) as readonly number[]);
  const rank = type.shape?.length ?? (Array.isArray(value) ? 1 : 0);
  const row = rank === 0 ? [] : [...Array.from({ length: rank - 1 }, () => 1), values.length];
  const dims = isFilled ? declared : row;
  if (
    (rank === 0 && values.length !== 1) ||
    declared.some((size, axis) => typeof size === "number" && size !== dims[axis])
  ) {
    throw new PareError(
      "ARGUMENT",
      `Input "${input.name}" is of shape [${declared.join(", ")}], which ${values.length} values do not fill.`,
      where,
    );
  }
  const { dtype } = type;
  const dense = convert({ type: "float64", dims, data: Float64Array.from(values) }, dtype, false);
  const held = convert(dense, "float64").data;
  // Floats are rounded, as those of any feed. What wraps around or overflows is not what was asked for.
  const unfit = values.find((one, index) =>
    dtype.includes("float")
      ? !Number.isFinite(held[index])
      : held[index] !== one || (dtype.includes("int") && !Number.isSafeInteger(one)),
  );
  if (unfit !== undefined)
    throw new PareError(
      "ARGUMENT",
      `Input "${input.name}" is ${dtype}, which cannot hold ${unfit}.`,
      where,
    );
  return Tensor.of(dense.type, dims, dense.data);
}
