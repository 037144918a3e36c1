import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { edit, Graph, type Infer, parseGraph } from "../ir/index.js";
import { inferNode } from "../ops/index.js";
import { simplifyGraph } from "./simplify.js";

/** Nodes and values that were looked at, nodes of a body that were listed, and nodes whose types were inferred. */
const count = { looked: 0, listed: 0, inferred: 0 };

const infer: Infer = (graph, node) => {
  count.inferred += 1;
  return inferNode(graph, node);
};

const { node: nodeOf, value: valueOf } = Graph.prototype;

beforeAll(() => {
  Graph.prototype.node = function (id) {
    count.looked += 1;
    return nodeOf.call(this, id);
  };
  Graph.prototype.value = function (id) {
    count.looked += 1;
    return valueOf.call(this, id);
  };
});

afterAll(() => Object.assign(Graph.prototype, { node: nodeOf, value: valueOf }));

/** What `work` looked at, listed and inferred. */
async function counted(graph: Graph, work: () => unknown): Promise<typeof count> {
  countListing(graph.main.initializers);
  countListing(graph.main.nodes);
  Object.assign(count, { looked: 0, listed: 0, inferred: 0 });
  await work();
  return { ...count };
}

function countListing<T>(members: Iterable<T>): void {
  const list = members[Symbol.iterator].bind(members);
  Object.defineProperty(members, Symbol.iterator, {
    value: function* () {
      const listing = list();
      for (let next = listing.next(); next.done !== true; next = listing.next()) {
        count.listed += 1;
        yield next.value;
      }
    },
  });
}

type Link = (from: string, at: number) => string;

const links: Readonly<Record<string, Link>> = {
  "Add, a constant each": (from, at) => `Add(${from}, const float32[] ${at}.0)`,
  "Add, equal constants": (from) => `Add(${from}, const float32[] 1.5)`,
  "Div, a constant each": (from, at) => `Div(${from}, const float32[] ${at + 3}.0)`,
  "Div that becomes Mul": (from, at) =>
    at % 2 === 0 ? `Div(${from}, const float32[] 4.0)` : `Sin(${from})`,
  "Mul of two activations": (from) => `Mul(${from}, x)`,
  "what is computed of constants": (from, at) =>
    at % 2 === 0
      ? `Exp(const float32[] ${at % 7}.0)`
      : `Add(${at === 1 ? "x" : `%${at - 1}`}, ${from})`,
  "Einsum that becomes Mul": (from) => `Einsum(${from}, x) {equation = "ij,ij->ij"}`,
  "Einsum that stays": (from) =>
    `Einsum(${from}, x, const float32[2, 2] [1, 2, 3, 4]) {equation = "ij,ij,aa->ij"}`,
  Identity: (from) => `Identity(${from})`,
  "Concat of Concat": (from) => `Concat(${from}, x) {axis = 0}`,
  "Slices of one Slice": (from, at) => {
    if (at < 2) return at === 0 ? reversed("x", 0, at) : "Sin(x)";
    return at % 2 === 0 ? reversed("%1", 1, at) : `Add(${from}, %${at - 1})`;
  },
};

/** Backwards along an axis, from anywhere beyond its end. */
function reversed(value: string, axis: number, at: number): string {
  const parts = [at + 3, -9, axis, -1].map((part) => `const int64[1] [${part}]`);
  return `Slice(${value}, ${parts.join(", ")})`;
}

/** A chain of so many nodes; `outputs` makes every value one. */
function chain(link: Link, length: number, outputs = false, of = "21 (x: float32[2, 3])"): Graph {
  const names = Array.from({ length }, (_, at) => `%${at + 1}`);
  const lines = names.map((name, at) => `  ${name} = ${link(at === 0 ? "x" : `%${at}`, at)}`);
  const last = outputs ? names : names.slice(-1);
  const named = last.map((_, at) => `y${at}`);
  return parseGraph(
    `graph main opset ${of} -> (${named.join(", ")}) {\n${lines.join("\n")}\n  return ${last.join(", ")}\n}`,
    { infer },
  );
}

describe("an edit", () => {
  it.each([
    ["one output", false],
    ["every value an output", true],
  ])("costs the same in a chain of any length, with %s", async (_, outputs) => {
    const cost = (length: number) => {
      const graph = chain((from) => `Sin(${from})`, length, outputs);
      const node = graph.order()[length >> 1];
      const [from, to] = [node?.inputs[0] ?? null, node?.outputs[0] ?? null];
      if (from === null || to === null) throw new Error("no node");
      return counted(graph, () =>
        edit(graph, "test", (editor) => editor.replace(to, editor.add1("Cos", [from]), "test")),
      );
    };
    const short = await cost(64);
    // The new node, and the one that reads it.
    expect(short.inferred).toBe(2);
    expect(await cost(128)).toEqual(short);
    expect(await cost(256)).toEqual(short);
  });
});

describe("normalizing and simplifying", () => {
  it.each(Object.entries(links))(
    "looks at twice as much in twice as many nodes: %s",
    async (_, link) => {
      const cost = (length: number) => {
        const graph = chain(link, length);
        return counted(graph, () => simplifyGraph(graph, {}));
      };
      const [one, two] = [await cost(512), await cost(1024)];
      expect(one.looked).toBeGreaterThan(512);
      for (const what of ["looked", "listed", "inferred"] as const)
        expect(two[what]).toBeLessThan(2.1 * (one[what] + 1));
    },
  );

  it.each([
    ["that are one", (at: number) => `Identity(%${at})`],
    ["that turn out to be alike", () => "Neg(x)"],
    ["that cancel out", (at: number) => `Neg(%${at})`],
  ])("infers what reads many values once, and not for each: values %s", async (_, link) => {
    const cost = (count: number) => {
      const values = Array.from({ length: count }, (_, at) => 2 * at + 2);
      const lines = values.flatMap((at) => [`  %${at - 1} = Neg(x)`, `  %${at} = ${link(at - 1)}`]);
      const read = values.map((at) => `%${at}`).join(", ");
      const text = `graph main opset 21 (x: float32[2, 3]) -> (y) {\n${lines.join("\n")}\n  %${2 * count + 1} = Concat(${read}) {axis = 0}\n  return %${2 * count + 1}\n}`;
      let inferred = 0;
      const graph = parseGraph(text, {
        infer(of, node) {
          if (node.op === "Concat") inferred += 1;
          return inferNode(of, node);
        },
      });
      const before = inferred;
      return simplifyGraph(graph, {}).then(() => inferred - before);
    };
    expect(await cost(200)).toBeLessThan(20);
  });

  it.each(["24 (x: float32[2, 3])", "24 (x: float32[*])"])(
    "says twice as many operators of a newer opset with twice the work: opset %s",
    async (of) => {
      const cost = (length: number) => {
        const link: Link = (from, at) => (at % 2 === 0 ? `Swish(${from})` : `Relu(${from})`);
        const graph = chain(link, length, false, of);
        return counted(graph, () => simplifyGraph(graph, {}));
      };
      const [one, two] = [await cost(512), await cost(1024)];
      expect(one.looked).toBeGreaterThan(512);
      for (const what of ["looked", "listed", "inferred"] as const)
        expect(two[what]).toBeLessThan(2.1 * (one[what] + 1));
    },
  );
});
