import { describe, expect, it } from "vitest";
import { attribute, type Graph, parseGraph, Tensor, type ValueId } from "../ir/index.js";
import { inferNode } from "../ops/index.js";
import { loopToScan } from "./loops.js";
import { looping, overTime, present, type Round } from "./loop-case.test.support.js";
import { apply, compare, graphOf, madeUp, onEngine, opsOf } from "./rule-case.test.support.js";
import { runRules } from "./run-rules.js";

const to = { to: attribute.int(1) };

/** h + x · w, which a row and a state give in a loop over time. */
function sum({ add, constant }: Round, x: ValueId, h: ValueId): ValueId {
  const w = Tensor.float32(
    [3, 4],
    Array.from({ length: 12 }, (_, at) => Math.sin(at)),
  );
  return add("Add", [add("MatMul", [x, constant(w)]), h]);
}

/** Operators that are left, and what an engine gives is what it gave. */
async function after(graph: Graph, sizes = {}): Promise<readonly string[]> {
  const feeds = madeUp(graph, sizes);
  const expected = await onEngine(graph, feeds);
  const { ops } = await apply(loopToScan, graph, sizes);
  for (const [name, tensor] of Object.entries(await onEngine(graph, feeds)))
    compare(name, tensor, expected[name], 0);
  return ops;
}

describe("a Loop over rows is a Scan", () => {
  it("where it counts to a number, whatever stops it", async () => {
    const plain = await after(overTime(sum));
    expect(plain).toContain("Scan");
    expect(plain).not.toContain("Gather");
    const ends = { most: 9, goesOn: ({ count, add, constant }: Round) => add("Less", [count, constant(Tensor.of("int32", [], Int32Array.of(3)))]) }; // prettier-ignore
    const ops = await after(overTime(sum, 5, ends));
    expect(ops).toContain("Scan");
    // Of five rows the first three.
    expect(ops).toContain("Gather");
    const most = { goesOn: ({ add, constant }: Round) => add("Identity", [constant(Tensor.of("bool", [], Uint8Array.of(1)))]) }; // prettier-ignore
    expect(await after(overTime(sum, 5, most))).toContain("Scan");
  });

  it("where it counts to a size that only a run knows", async () => {
    const graph = overTime(sum, "T");
    const ops = await after(graph, { T: 4 });
    expect(ops).toContain("Scan");
    expect(ops).not.toContain("Loop");
  });

  it("that are taken backwards, and of what stays in it", async () => {
    const graph = graphOf({ x: ["float32", 6, 3], s: ["float32", 3] }, (input, b) => {
      const all = looping(
        b,
        {
          carried: [
            [input("x"), ["float32", 6, 3]],
            [input("s"), ["float32", 3]],
          ],
          most: 6,
        },
        ({ add, carried, constant, number }) => {
          const place = add("Sub", [constant(Tensor.int64([5], [])), number]);
          const next = add("Mul", [add("Gather", [carried(0), place]), carried(1)]);
          return { next: [carried(0), next], kept: [next] };
        },
      );
      const [kept, state, each] = all.slice(1).map((id) => b.add("Neg", [id]));
      return { kept: present(kept), state: present(state), each: present(each) };
    });
    expect(await after(graph)).toContain("Scan");
  });

  it("that lie along another axis", async () => {
    const graph = graphOf({ x: ["float32", 2, "T", 3], s: ["float32", 2, 3] }, (input, b) => {
      const time = b.add("Shape", [input("x")], { start: attribute.int(1), end: attribute.int(2) });
      const carried = [[input("s"), ["float32", 2, 3]]] as const;
      const most = { size: b.add("Squeeze", [time]) };
      const all = looping(b, { carried, most }, (round) => {
        const row = round.add("Gather", [input("x"), round.count], { axis: attribute.int(1) });
        const next = round.add("Mul", [round.carried(0), row]);
        return { next: [next], kept: [next] };
      });
      const [state, each] = all.slice(1).map((id) => b.add("Neg", [id]));
      return { state: present(state), each: present(each) };
    });
    const ops = await after(graph, { T: 4 });
    expect(ops).toContain("Scan");
    expect(ops).not.toContain("Gather");
  });

  it("with the numbers of rounds, and how many there were", async () => {
    const graph = graphOf({ s: ["float32", 3] }, (input, b) => {
      const carried = [[input("s"), ["float32", 3]]] as const;
      const [count, state, each] = looping(b, { carried, most: 4 }, (round) => {
        const { add, number, count: counted } = round;
        const both = add("Mul", [add("Cast", [number], to), add("Cast", [counted], to)]);
        const next = add("Add", [round.carried(0), both]);
        return { next: [next], kept: [add("Neg", [next])] };
      });
      const rounds = b.add("Cast", [present(count)], to);
      return { rounds, state: b.add("Neg", [present(state)]), each: b.add("Neg", [present(each)]) };
    });
    const ops = await after(graph);
    expect(ops).toContain("Scan");
    expect(ops).not.toContain("Loop");
  });
});

describe("what is made of the number of a round", () => {
  const rows = (place: (round: Round) => ValueId): Graph =>
    graphOf({ x: ["float32", 4, 3], s: ["float32", 3] }, (input, b) => {
      const carried = [[input("s"), ["float32", 3]]] as const;
      const all = looping(b, { carried, most: 4 }, (round) => {
        const { add } = round;
        const row = add("Gather", [input("x"), place(round)], { axis: attribute.int(0) });
        return { next: [add("Add", [round.carried(0), row])], kept: [add("Neg", [row])] };
      });
      return { state: b.add("Neg", [present(all[1])]), each: b.add("Neg", [present(all[2])]) };
    });
  const cast = (dtype: number) => ({ to: attribute.int(dtype) });

  it("takes rows one after the other where its type holds it, and is a number else", async () => {
    for (const [dtype, isRows] of [[6, true], [7, true], [9, false], [2, false]] as const) {
      const graph = rows(({ add, number }) => add("Cast", [add("Cast", [number], cast(dtype))], cast(7)));
      const ops = await after(graph);
      expect(ops.includes("Gather")).toBe(!isRows);
    }
  }); // prettier-ignore

  it("may be all that a round gives, and nobody knows how many there are", async () => {
    const text = `graph main opset 21 (x: float32[T, 3], s: float32[3]) -> (state, each) {
  shape = Shape(x) {end = 1} : int64[1]
  most = Squeeze(shape) : int64[]
  last, all = Loop(most, const bool[] [true], s) {body = graph (number: int64[], goes: bool[], carried: float32[3]) {
    on = Identity(goes) : bool[]
    row = Gather(x, number) : float32[3]
    next = Add(carried, row) : float32[3]
    return on, next, number
  }} : float32[3], int64[T]
  state = Neg(last) : float32[3]
  each = Cast(all) {to = 1} : float32[T]
  return state, each
}
`;
    const { ops } = await apply(loopToScan, parseGraph(text, { infer: inferNode }), { T: 4 });
    expect(ops).toContain("Loop");
  });
});

describe("a Loop stays", () => {
  const stays = async (graph: Graph): Promise<void> => {
    await runRules(graph, [loopToScan], {});
    expect(opsOf(graph)).toContain("Loop");
  };

  it("that ends by what it computes", async () => {
    const goesOn = ({ add, carried, float }: Round): ValueId =>
      add("Less", [add("ReduceMax", [carried(0)], { keepdims: attribute.int(0) }), float(40)]);
    await stays(overTime(sum, 5, { goesOn }));
  });

  it("whose state grows", async () => {
    const graph = graphOf({ s: ["float32", "L"] }, (input, b) => {
      const carried = [[input("s"), ["float32", "L"]]] as const;
      const all = looping(b, { carried, most: 3 }, ({ add, ...round }) => {
        const more = round.constant(Tensor.float32([1], [2]));
        return { next: [add("Concat", [round.carried(0), more], { axis: attribute.int(0) })] };
      });
      return { y: b.add("Neg", [present(all[1])]) };
    });
    await stays(graph);
  });

  it("whose state has the rows' size from the second round on", async () => {
    const sizes = { N: 2 };
    const graph = graphOf({ x: ["float32", 5, "N", 3], h: ["float32", 1, 3] }, (input, b) => {
      const carried = [[input("h"), ["float32", "M", 3]]] as const;
      const all = looping(b, { carried, most: 5 }, (round) => ({
        next: [round.add("Add", [round.carried(0), round.add("Gather", [input("x"), round.count])])], // prettier-ignore
      }));
      return { y: b.add("Neg", [present(all[1])]) };
    });
    const feeds = madeUp(graph, sizes);
    const expected = await onEngine(graph, feeds);
    await runRules(graph, [loopToScan], {});
    expect(opsOf(graph)).toContain("Loop");
    expect(graph.journal.map(({ reason }) => reason)).toEqual([
      "loop-to-scan would change the shape of the loop's state 2.",
    ]);
    for (const [name, tensor] of Object.entries(await onEngine(graph, feeds)))
      compare(name, tensor, expected[name], 0);
  });

  it("whose state loses as many as only a run knows", async () => {
    const graph = graphOf({ s: ["float32", 9, "L"], n: ["int64", 1] }, (input, b) => {
      const carried = [[input("s"), ["float32", 9, "L"]]] as const;
      const all = looping(b, { carried, most: 3 }, (round) => {
        const cut = [round.constant(Tensor.int64([0])), input("n"), round.constant(Tensor.int64([1]))]; // prettier-ignore
        return { next: [round.add("Slice", [round.carried(0), ...cut])] };
      });
      return { y: b.add("Neg", [present(all[1])]) };
    });
    await stays(graph);
  });

  it("that draws at random, holds another one, or takes rows of its own", async () => {
    await stays(overTime(({ add }, _, h) => add("Add", [h, add("RandomUniformLike", [h])])));
    const nested = graphOf({ s: ["float32", 3] }, (input, b) => {
      const carried = [[input("s"), ["float32", 3]]] as const;
      const all = looping(b, { carried, most: 3 }, (round) => {
        const branch = b.editor.addBody("branch");
        b.editor.addOutput(b.editor.add1("Neg", [round.carried(0)], {}, { body: branch }), branch);
        const other = b.editor.addBody("other");
        b.editor.addOutput(b.editor.add1("Exp", [round.carried(0)], {}, { body: other }), other);
        const condition = round.add("Less", [round.number, round.constant(Tensor.int64([1], []))]);
        const branches = { then_branch: attribute.graph(branch), else_branch: attribute.graph(other) }; // prettier-ignore
        return { next: [round.add("If", [condition], branches)] };
      });
      return { y: b.add("Neg", [present(all[1])]) };
    });
    await stays(nested);
  });

  it("that stacks what has nobody knows how many axes", async () => {
    const graph = graphOf({ x: ["float32", "N", 3], s: ["float32", 3] }, (input, b) => {
      const opaque = b.add("Squeeze", [input("x")]);
      const carried = [[input("s"), ["float32", 3]]] as const;
      const all = looping(b, { carried, most: 3 }, (round) => ({
        next: [round.add("Neg", [round.carried(0)])],
        kept: [round.add("Neg", [opaque])],
      }));
      return { y: b.add("Neg", [present(all[1])]), all: b.add("Abs", [present(all[2])]) };
    });
    await stays(graph);
  });

  it("over a size of which nobody knows whether it is that of its rows", async () => {
    const graph = graphOf(
      { x: ["float32", "T", 3], n: ["int64"], s: ["float32", 3] },
      (input, b) => {
        const carried = [[input("s"), ["float32", 3]]] as const;
        const all = looping(
          b,
          { carried, most: { size: b.add("Abs", [input("n")]) } },
          (round) => ({
            next: [
              round.add("Add", [round.carried(0), round.add("Gather", [input("x"), round.count])]),
            ],
          }),
        );
        return { y: b.add("Neg", [present(all[1])]) };
      },
    );
    await stays(graph);
  });
});
