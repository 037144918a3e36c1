import { expect, it } from "vitest";
import { attribute, type ValueId } from "../ir/index.js";
import { arithmetic } from "./arithmetic.js";
import { sayCastLike } from "./casts.js";
import { apply, graphOf } from "./rule-case.test.support.js";

it("says what another value's type is, whatever made it", async () => {
  const graph = graphOf({ x: ["float32", 2, 3], y: ["int64", "N"] }, (input, b) => ({
    z: b.add("CastLike", [b.add("Mul", [input("x"), b.floats([3])]), b.add("Neg", [input("y")])]),
  }));
  expect((await apply(sayCastLike, graph)).ops.filter((op) => op !== "Neg")).toEqual(["Mul", "Cast"]); // prettier-ignore
});

it("leaves it where that type is not known", async () => {
  const graph = graphOf({ x: ["float32", 2] }, (input, { editor, add }) => {
    const unknown = editor.add1("Unheard", [input("x")], {}, { domain: "of.nobody" });
    return { z: add("CastLike", [input("x"), unknown]), w: add("Cast", [input("x")], { to: attribute.int(7) }) }; // prettier-ignore
  });
  const [node] = graph.order().filter(({ op }) => op === "CastLike");
  expect(node && sayCastLike.match(graph, node)).toBeUndefined();
});

it("keeps the digits that a wider type has in a text", async () => {
  const graph = graphOf({ x: ["float32", 4], n: ["int32", 4] }, (input, b) => {
    const through = (of: string, ...types: readonly number[]) =>
      types.reduce(
        (value: ValueId, to) => b.add("Cast", [value], { to: attribute.int(to) }),
        input(of),
      );
    return { text: through("x", 11, 8), number: through("n", 7, 1) };
  });
  expect((await apply(arithmetic, graph)).ops).toEqual(["Cast", "Cast", "Cast"]);
});
