import { type Graph, type TensorData, type ValueId, shapeOf } from "../ir/index.js";
import { type AffineForm, affineForm, sumOf, tensorsOf } from "./affine-forms.js";
import { attributesOf, dtypeOf, inputOf, madeBy, scalarOf } from "./pattern.js";
import type { Activation, Cell, Gate, Sizes } from "./recurrent-cell.js";
import type { Rule } from "./rule.js";
import { behindIdentity, type ScanParts, scanParts } from "./scan-parts.js";
import { writeCell } from "./write-cell.js";

/**
 * A Scan whose state is made of a row and of the state before as that of an LSTM, a GRU or an RNN is one. Gates are sums of
 * products, taken apart in whatever order.
 */
export const scanToCell: Rule = {
  name: "scan-to-cell",
  exactness: "rounding",
  ops: ["Scan"],
  match(graph, node) {
    const parts = scanParts(graph, node);
    if (parts?.isForward !== true) return undefined;
    const cell = lstmOf(graph, parts) ?? gruOf(graph, parts) ?? rnnOf(graph, parts);
    if (cell === undefined || !isOfHidden(graph, parts, cell)) return undefined;
    const sizes = sizesOf(graph, parts, cell);
    if (sizes === undefined) return undefined;
    const needs = [...new Set(cell.gates.flatMap(({ form, own }) => [...tensorsOf(form), ...(own ? tensorsOf(own) : [])]))]; // prettier-ignore
    const because = `its body is the cell of ${/^[LR]/.test(cell.op) ? "an" : "a"} ${cell.op}`;
    return {
      because,
      needs,
      work: needs.reduce((sum, { count }) => sum + count, 0),
      rewrite(editor, data) {
        const numbers = new Map(needs.map((tensor, at) => [tensor, floatsOf(data[at])]));
        writeCell(graph, editor, node, parts, cell, sizes, numbers, because);
      },
    };
  },
};

/** Functions that a node over time may have, with their alpha and beta where nothing is said. */
const functions: Readonly<Record<string, { readonly alpha?: number; readonly beta?: number }>> = {
  Sigmoid: {},
  Tanh: {},
  Relu: {},
  Softsign: {},
  Softplus: {},
  HardSigmoid: { alpha: 0.2, beta: 0.5 },
  Elu: { alpha: 1 },
  LeakyRelu: { alpha: 0.01 },
};

function activated(
  graph: Graph,
  value: ValueId | undefined,
): { readonly activation: Activation; readonly of: ValueId } | undefined {
  const node = graph.producer(behindIdentity(graph, value));
  const known = node?.domain === "" ? functions[node.op] : undefined;
  const of = node && inputOf(node, 0);
  if (node === undefined || known === undefined || of === undefined) return undefined;
  const { alpha, beta } = known;
  const attributes = attributesOf(node);
  const activation = {
    name: node.op,
    ...(alpha !== undefined && { alpha: attributes.float("alpha", alpha) }),
    ...(beta !== undefined && { beta: attributes.float("beta", beta) }),
  };
  return { activation, of };
}

const isSame = (one: Activation, other: Activation): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

/** A function of a sum of products. */
function gateOf(
  graph: Graph,
  value: ValueId | undefined,
  isSource: (id: ValueId) => boolean,
): { readonly activation: Activation; readonly form: AffineForm } | undefined {
  const found = activated(graph, value);
  const form = found && affineForm(graph, found.of, isSource);
  return found && form && { activation: found.activation, form };
}

/** Both orders of the operands of a node that has two. */
function operands(
  graph: Graph,
  value: ValueId | undefined,
  op: string,
): readonly (readonly [ValueId, ValueId])[] {
  const node = madeBy(graph, behindIdentity(graph, value), op);
  const [x, y] = [0, 1].map((at) => node && behindIdentity(graph, inputOf(node, at)));
  if (x === undefined || y === undefined) return [];
  return [
    [x, y],
    [y, x],
  ];
}

/** c′ = f·c + i·g, h′ = o·φ(c′). */
function lstmOf(graph: Graph, parts: ScanParts): Cell | undefined {
  const { stateInputs, nextStates } = parts;
  if (stateInputs.length !== 2) return undefined;
  for (const [hidden, cell] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const [h, c] = [stateInputs[hidden], stateInputs[cell]];
    const next = behindIdentity(graph, nextStates[cell]);
    if (h === undefined || c === undefined) continue;
    const isSource = sourcesOf(parts, h);
    for (const [o, last] of operands(graph, nextStates[hidden], "Mul")) {
      const output = gateOf(graph, o, isSource);
      const shown = activated(graph, last);
      if (output === undefined || behindIdentity(graph, shown?.of) !== next) continue;
      for (const [kept, added] of operands(graph, next, "Add"))
        for (const [f, before] of operands(graph, kept, "Mul"))
          for (const [i, g] of operands(graph, added, "Mul")) {
            const [forget, input, candidate] = [f, i, g].map((id) => gateOf(graph, id, isSource));
            if (before !== c || !forget || !input || !candidate || !shown) continue;
            const { activation } = output;
            if (![forget, input].every((one) => isSame(one.activation, activation))) continue;
            return {
              op: "LSTM",
              gates: [input, output, forget, candidate],
              activations: [activation, candidate.activation, shown.activation],
              hidden,
              cell,
            };
          }
    }
  }
  return undefined;
}

/** h′ = z·h + (1 − z)·n, or n + z·(h − n), as is the same. */
function gruOf(graph: Graph, parts: ScanParts): Cell | undefined {
  const [h] = parts.stateInputs;
  if (parts.stateInputs.length !== 1 || h === undefined) return undefined;
  const isSource = sourcesOf(parts, h);
  for (const [kept, added] of operands(graph, parts.nextStates[0], "Add"))
    for (const [z, other] of operands(graph, kept, "Mul")) {
      const update = gateOf(graph, z, isSource);
      if (update === undefined) continue;
      for (const n of candidatesOf(graph, h, z, other, added)) {
        const candidate = candidateOf(graph, parts, h, n, update.activation);
        if (candidate === undefined) continue;
        const { reset, activation, ...last } = candidate;
        return {
          op: "GRU",
          gates: [update, { form: reset }, last],
          activations: [update.activation, activation],
          hidden: 0,
          resetAfter: last.own !== undefined,
        };
      }
    }
  return undefined;
}

/** What may be the candidate, where the state is one of both ways of saying it. */
function candidatesOf(
  graph: Graph,
  h: ValueId,
  z: ValueId,
  other: ValueId,
  added: ValueId,
): readonly ValueId[] {
  if (other === h)
    return operands(graph, added, "Mul").flatMap(([rest, n]) =>
      isRestOf(graph, rest, z) ? [n] : [],
    );
  const difference = madeBy(graph, other, "Sub");
  const [x, y] = [0, 1].map((at) => difference && behindIdentity(graph, inputOf(difference, at)));
  return x === h && y === added ? [added] : [];
}

/** Is it 1 − z? */
function isRestOf(graph: Graph, value: ValueId, z: ValueId): boolean {
  const node = madeBy(graph, value, "Sub");
  return (
    node !== undefined &&
    scalarOf(graph, inputOf(node, 0)) === 1 &&
    behindIdentity(graph, inputOf(node, 1)) === z
  );
}

interface Candidate extends Gate {
  readonly reset: AffineForm;
  readonly activation: Activation;
}

/** n = φ(Wx + b + r·(Rh + c)), or φ(Wx + R(r·h) + b). */
function candidateOf(
  graph: Graph,
  parts: ScanParts,
  h: ValueId,
  n: ValueId,
  ofGates: Activation,
): Candidate | undefined {
  const found = activated(graph, n);
  if (found === undefined) return undefined;
  const isRow = (id: ValueId): boolean => parts.rowInputs.includes(id);
  const isSource = sourcesOf(parts, h);
  const { activation, of } = found;
  const resetBy = (id: ValueId): AffineForm | undefined => {
    const gate = gateOf(graph, id, isSource);
    return gate && isSame(gate.activation, ofGates) ? gate.form : undefined;
  };
  const addends = addendsOf(graph, of);
  for (const [at, one] of addends.entries()) {
    const rest = addends.filter((_, index) => index !== at).map((id) => affineForm(graph, id, isRow)); // prettier-ignore
    const form = rest.length === 0 ? undefined : rest.reduce(sumOf);
    for (const [r, sum] of operands(graph, one, "Mul")) {
      const [reset, own] = [resetBy(r), affineForm(graph, sum, (id) => id === h)];
      if (form && reset && own) return { form, own, reset, activation };
    }
  }
  const resets = new Set<ValueId>();
  const forms: AffineForm[] = [];
  const isReset = (id: ValueId): boolean => {
    for (const [r, before] of operands(graph, id, "Mul")) {
      const reset = before === h ? resetBy(r) : undefined;
      if (reset === undefined) continue;
      resets.add(id);
      forms.push(reset);
      return true;
    }
    return false;
  };
  const form = affineForm(graph, of, (id) => isRow(id) || isReset(id));
  const [reset] = forms;
  return form && reset && resets.size === 1 ? { form, reset, activation } : undefined;
}

/** A candidate is a sum of no more. */
const mostAddends = 8;

/** What a value is the sum of; itself where it is none. */
function addendsOf(graph: Graph, value: ValueId): readonly ValueId[] {
  const addends = [value];
  for (let at = 0; at < addends.length && addends.length < mostAddends;) {
    const one = addends[at];
    const [both] = one === undefined ? [] : operands(graph, one, "Add");
    if (both === undefined) at += 1;
    else addends.splice(at, 1, ...both);
  }
  return addends;
}

/** h′ = φ(Wx + Rh + b). */
function rnnOf(graph: Graph, parts: ScanParts): Cell | undefined {
  const [h] = parts.stateInputs;
  if (parts.stateInputs.length !== 1 || h === undefined) return undefined;
  const gate = gateOf(graph, parts.nextStates[0], sourcesOf(parts, h));
  return gate && { op: "RNN", gates: [gate], activations: [gate.activation], hidden: 0 };
}

function sourcesOf({ rowInputs }: ScanParts, h: ValueId): (id: ValueId) => boolean {
  return (id) => id === h || rowInputs.includes(id);
}

/** Does it keep nothing of a row but the state that a node over time gives? */
function isOfHidden(graph: Graph, { nextStates, results }: ScanParts, { hidden }: Cell): boolean {
  const next = behindIdentity(graph, nextStates[hidden]);
  return results.every((id) => behindIdentity(graph, id) === next);
}

/** Undefined where it goes through several things or nothing, or sizes do not fit. */
function sizesOf(graph: Graph, parts: ScanParts, { gates, hidden: at }: Cell): Sizes | undefined {
  const forms = gates.flatMap(({ form, own }) => [form, ...(own ? [own] : [])]);
  const products = forms.flatMap((form) => form.products);
  const read = new Set(products.map(({ source }) => parts.rowInputs.indexOf(source)));
  const [row, ...more] = [...read].filter((one) => one >= 0);
  const state = shapeOf(graph, parts.stateInputs[at]);
  const hidden = state?.[1];
  if (row === undefined || more.length > 0 || state?.length !== 2) return undefined;
  const given = shapeOf(graph, parts.rowInputs[row]);
  const inputs = given?.[1];
  // One row for a whole batch of states is no input of such a node.
  if (given?.length !== 2 || given[0] !== state[0]) return undefined;
  if (typeof inputs !== "number" || typeof hidden !== "number") return undefined;
  if (dtypeOf(graph, parts.rowInputs[row]) !== "float32") return undefined;
  const fits =
    forms.every(({ width }) => width === hidden) &&
    products.every(({ source, weights, isTransposed }) => {
      const depth = weights.dims[isTransposed ? 1 : 0];
      return depth === (parts.rowInputs.includes(source) ? inputs : hidden);
    });
  return fits ? { row, inputs, hidden } : undefined;
}

const floatsOf = (data: TensorData | undefined): Float32Array =>
  data instanceof Float32Array ? data : new Float32Array();
