import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attribute, type Attributes, type Graph, Tensor, type ValueId } from "../ir/index.js";
import { cases } from "../wasm/cases.test.support.js";
import { foldConstants } from "./fold-constants.js";
import { looping, overTime, present, type Round, timeOf } from "./loop-case.test.support.js";
import { loopToScan } from "./loops.js";
import { scanToCell } from "./recurrent-cells.js";
import { apply, compare, graphOf, madeUp, onEngine } from "./rule-case.test.support.js";

const rules = [foldConstants, loopToScan, scanToCell];
const [inputs, hidden] = [3, 20];

interface Style {
  /** Weights of all gates in one matrix, which are taken apart after the product, or before it by one node or several. */
  readonly joined: "after" | "before" | "each";
  readonly product: "MatMul" | "Gemm" | "transposed";
  /** Operands of sums and products change places. */
  readonly swapped: boolean;
  readonly biased: boolean;
  readonly dynamic: boolean;
  readonly gates: "Sigmoid" | "HardSigmoid";
}

const style: fc.Arbitrary<Style> = fc.record({
  joined: fc.constantFrom("after", "before", "each"),
  product: fc.constantFrom("MatMul", "Gemm", "transposed"),
  swapped: fc.boolean(),
  biased: fc.boolean(),
  dynamic: fc.boolean(),
  gates: fc.constantFrom("Sigmoid", "HardSigmoid"),
});

const numbers = (count: number, seed: number): readonly number[] =>
  Array.from({ length: count }, (_, at) => Math.sin(seed * 100 + at * 1.7));

/** Writes cells in a style. */
class Cells {
  readonly #round: Round;
  readonly #style: Style;
  #seed = 1;

  constructor(round: Round, style: Style) {
    this.#round = round;
    this.#style = style;
  }

  two(op: string, x: ValueId, y: ValueId): ValueId {
    return this.#round.add(op, this.#style.swapped ? [y, x] : [x, y]);
  }

  gate(x: ValueId): ValueId {
    const of: Attributes = this.#style.gates === "HardSigmoid" ? { alpha: attribute.float(0.25), beta: attribute.float(0.5) } : {}; // prettier-ignore
    return this.#round.add(this.#style.gates, [x], of);
  }

  tanh(x: ValueId): ValueId {
    return this.#round.add("Tanh", [x]);
  }

  /** x · W + b, as so many gates. */
  sums(x: ValueId, depth: number, gates: number): readonly ValueId[] {
    const { joined, product, biased } = this.#style;
    const { add, constant, split } = this.#round;
    const width = gates * hidden;
    this.#seed += 1;
    const [rows, bias] = [numbers(depth * width, this.#seed), numbers(width, this.#seed + 50)];
    const weights = constant(Tensor.float32([depth, width], rows));
    const biases = constant(Tensor.float32([width], bias));
    const one = (w: ValueId, b: ValueId): ValueId => {
      if (product === "MatMul") {
        const made = add("MatMul", [x, w]);
        return biased ? this.two("Add", made, b) : made;
      }
      const isTransposed = product === "transposed";
      const matrix = isTransposed ? add("Transpose", [w], { perm: attribute.ints([1, 0]) }) : w;
      return add("Gemm", biased ? [x, matrix, b] : [x, matrix], { transB: attribute.int(isTransposed ? 1 : 0) }); // prettier-ignore
    };
    if (gates === 1) return [one(weights, biases)];
    if (joined === "after") return split(one(weights, biases), gates, -1);
    const cut = (of: ValueId, at: number, axis: number): ValueId => {
      const ends = [[at * hidden], [(at + 1) * hidden], [axis]];
      return add("Slice", [of, ...ends.map((end) => constant(Tensor.int64(end)))]);
    };
    const parts = (of: ValueId, axis: number): readonly ValueId[] =>
      joined === "before"
        ? split(of, gates, axis)
        : Array.from({ length: gates }, (_, at) => cut(of, at, axis));
    const [ofWeights, ofBiases] = [parts(weights, 1), parts(biases, 0)];
    return ofWeights.map((w, at) => one(w, present(ofBiases[at])));
  }

  /** Of a row and a state. */
  both(x: ValueId, h: ValueId, gates: number): readonly ValueId[] {
    const [ofRow, ofState] = [this.sums(x, inputs, gates), this.sums(h, hidden, gates)];
    return ofRow.map((sum, at) => this.two("Add", sum, present(ofState[at])));
  }
}

/** The operators that are left, where an engine gives what it gave. */
async function left(graph: Graph, sizes = {}): Promise<readonly string[]> {
  const feeds = madeUp(graph, sizes);
  const expected = await onEngine(graph, feeds);
  const { ops } = await apply(rules, graph, sizes);
  for (const [name, tensor] of Object.entries(await onEngine(graph, feeds)))
    compare(name, tensor, expected[name], 2e-5);
  return ops;
}

function lstm(of: Style): Graph {
  const time = of.dynamic ? "T" : 5;
  return graphOf(
    { x: ["float32", time, 2, inputs], h: ["float32", 2, hidden], c: ["float32", 2, hidden] },
    (input, b) => {
      const state = ["float32", 2, hidden] as const;
      const carried = [[input("h"), state], [input("c"), state]] as const; // prettier-ignore
      const all = looping(
        b,
        { carried, most: of.dynamic ? { size: timeOf(b, input("x")) } : 5 },
        (round) => {
          const cells = new Cells(round, of);
          const row = round.add("Gather", [input("x"), round.count]);
          const [i, f, g, o] = cells.both(row, round.carried(0), 4).map(present);
          const kept = cells.two("Mul", cells.gate(present(f)), round.carried(1));
          const added = cells.two("Mul", cells.gate(present(i)), cells.tanh(present(g)));
          const cell = cells.two("Add", kept, added);
          const next = cells.two("Mul", cells.gate(present(o)), cells.tanh(cell));
          return { next: [next, cell], kept: [next] };
        },
      );
      const [h, c, each] = all.slice(1).map((id) => b.add("Neg", [id]));
      return { h: present(h), c: present(c), each: present(each) };
    },
  );
}

function gru(of: Style, isAfter: boolean, form: "rest" | "difference"): Graph {
  return overTime(
    (round, x, h) => {
      const cells = new Cells(round, of);
      const ofRow = cells.sums(x, inputs, 3);
      const ofState = cells.sums(h, hidden, isAfter ? 3 : 2);
      const [z, r] = [0, 1].map((at) => cells.gate(cells.two("Add", present(ofRow[at]), present(ofState[at])))); // prettier-ignore
      const reset = isAfter
        ? cells.two("Mul", present(r), present(ofState[2]))
        : present(cells.sums(cells.two("Mul", present(r), h), hidden, 1)[0]);
      const n = cells.tanh(cells.two("Add", present(ofRow[2]), reset));
      if (form === "difference")
        return cells.two("Add", n, cells.two("Mul", present(z), round.add("Sub", [h, n])));
      const rest = round.add("Sub", [round.float(1), present(z)]);
      return cells.two("Add", cells.two("Mul", present(z), h), cells.two("Mul", rest, n));
    },
    of.dynamic ? "T" : 5,
    {},
    hidden,
  );
}

describe("a loop over time is one operator", () => {
  it("as an LSTM, whatever way its gates are written", async () => {
    await fc.assert(
      fc.asyncProperty(style, async (of) => {
        const ops = await left(lstm(of), { T: 4 });
        expect(ops).toContain("LSTM");
        expect(ops).not.toContain("Scan");
      }),
      { numRuns: cases(60) },
    );
  });

  it("as a GRU, whose reset comes before the product or after it", async () => {
    const form = fc.constantFrom("rest" as const, "difference" as const);
    await fc.assert(
      fc.asyncProperty(style, fc.boolean(), form, async (of, isAfter, as) => {
        const ops = await left(gru(of, isAfter, as), { T: 4 });
        expect(ops).toContain("GRU");
        expect(ops).not.toContain("Scan");
      }),
      { numRuns: cases(60) },
    );
  });

  it.each(["Tanh", "Relu", "Sigmoid", "HardSigmoid", "LeakyRelu", "Elu"])(
    "as an RNN of %s",
    async (op) => {
      const of: Style = { joined: "after", product: "Gemm", swapped: false, biased: true, dynamic: false, gates: "Sigmoid" }; // prettier-ignore
      const cell = (round: Round, x: ValueId, h: ValueId): ValueId =>
        round.add(op, [present(new Cells(round, of).both(x, h, 1)[0])]);
      const graph = overTime(cell, 5, {}, hidden);
      const ops = await left(graph);
      expect(ops).toContain("RNN");
      expect(ops).not.toContain("Scan");
    },
  );
});

describe("it is none", () => {
  const of: Style = { joined: "after", product: "MatMul", swapped: false, biased: true, dynamic: false, gates: "Sigmoid" }; // prettier-ignore
  const cases_: readonly (readonly [string, Parameters<typeof overTime>[0]])[] = [
    ["where a gate is of something else", (round, x, h) => {
      const cells = new Cells(round, of);
      return round.add("Tanh", [cells.two("Add", round.add("Exp", [h]), present(cells.sums(x, inputs, 1)[0]))]); // prettier-ignore
    }],
    ["where the state decays besides", (round, x, h) => {
      const [sum] = new Cells(round, of).both(x, h, 1);
      return round.add("Mul", [round.float(0.9), round.add("Tanh", [present(sum)])]);
    }],
    ["where the update gate is not the rest's", (round, x, h) => {
      const cells = new Cells(round, of);
      const [z, r, n] = cells.both(x, h, 3).map((one, at) => at < 2 ? cells.gate(one) : cells.tanh(one)); // prettier-ignore
      const rest = round.add("Sub", [round.float(1), present(r)]);
      return cells.two("Add", cells.two("Mul", present(z), h), cells.two("Mul", rest, present(n)));
    }],
  ]; // prettier-ignore

  it.each(cases_)("%s", async (_, cell) => {
    expect(await left(overTime(cell, 5, {}, hidden))).toContain("Scan");
  });

  it("where all states of a batch are given the same row", async () => {
    const graph = graphOf(
      { x: ["float32", 5, 1, inputs], h: ["float32", 2, hidden] },
      (input, b) => {
        const carried = [[input("h"), ["float32", 2, hidden]]] as const;
        const [, last] = looping(b, { carried, most: 5 }, (round) => {
          const row = round.add("Gather", [input("x"), round.count]);
          const [sum] = new Cells(round, of).both(row, round.carried(0), 1);
          return { next: [round.add("Tanh", [present(sum)])] };
        });
        return { last: b.add("Neg", [present(last)]) };
      },
    );
    expect(await left(graph)).toContain("Scan");
  });
});
