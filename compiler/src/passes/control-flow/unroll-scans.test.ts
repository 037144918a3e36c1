import { describe, expect, it } from "vitest";
import { attribute, type Graph, Tensor, tensorType, type ValueId } from "../../ir/index.js";
import { overTime, present, type Round } from "../../rules/loop-case.test.support.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { aot } from "../../targets/aot.js";
import { supportOf } from "../../targets/support.js";
import { noise } from "../../wasm/run-model.test.support.js";
import {
  byEngine,
  byModule,
  difference,
  floats,
} from "../classical/classical-case.test.support.js";

const x = floats([5, 2, 3], [...noise(30)]);
const h = floats([2, 4], [...noise(8, 2)]);

/** A state that decays, which is no cell of an operator. */
function decaying({ add, constant, float }: Round, row: ValueId, state: ValueId, time = 3) {
  const w = constant(Tensor.float32([time, 4], noise(time * 4, 3)));
  return add("Add", [add("Mul", [state, float(0.9)]), add("Exp", [add("MatMul", [row, w])])]);
}

describe("a loop of which there is no operator", () => {
  it("is written out in a module, row by row", async () => {
    const graph = overTime(decaying);
    expect((await supportOf(graph, aot)).obstacles).toEqual([]);
    const expected = await byEngine(graph, { x, h });
    expect(difference(expected, await byModule(graph, { x, h }))).toBeLessThan(1e-5);
  });

  it("is not where it would be too much", async () => {
    const { obstacles } = await supportOf(overTime(decaying, 4000), aot);
    expect(obstacles.map(({ op, reason }) => `${op}: ${reason}`)).toContainEqual(
      "Scan: written out, loops are more than 8192 nodes",
    );
  });

  const along = (given: number, kept: number, axis = -2): Graph =>
    graphOf({ x: ["float32", 2, 5, 3], s: ["float32", 2, 3] }, (input, b) => {
      const body = b.editor.addBody("rows");
      const [state, row] = ["s", "r"].map((name) => b.editor.addInput(name, tensorType("float32", [2, 3]), body)); // prettier-ignore
      const next = b.editor.add1("Sub", [present(state), present(row)], {}, { body });
      b.editor.addOutput(next, body);
      b.editor.addOutput(b.editor.add1("Exp", [next], {}, { body }), body);
      const all = b.many("Scan", 2, [input("s"), input("x")], {
        body: attribute.graph(body),
        num_scan_inputs: attribute.int(1),
        scan_input_axes: attribute.ints([axis]),
        scan_output_axes: attribute.ints([-1]),
        scan_input_directions: attribute.ints([given]),
        scan_output_directions: attribute.ints([kept]),
      });
      return { y: b.add("Neg", [present(all[0])]), z: present(all[1]) };
    });

  it.each([
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ])("goes along any axis, from either end (%i, %i)", async (given, kept) => {
    const graph = along(given, kept);
    const feeds = { x: floats([2, 5, 3], [...noise(30)]), s: floats([2, 3], [...noise(6, 2)]) };
    const expected = await byEngine(graph, feeds);
    expect(difference(expected, await byModule(graph, feeds))).toBeLessThan(1e-5);
  });

  it("is not where its axis is none", async () => {
    const { obstacles } = await supportOf(along(0, 0, 7), aot);
    expect(obstacles.map(({ op, reason }) => `${op}: ${reason}`)).toContainEqual(
      "Scan: how many rows it goes through is not known",
    );
  });
});
