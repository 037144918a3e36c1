import { expect, it } from "vitest";
import { attribute, codeOfDtype, type Graph, Tensor, type ValueId } from "../../ir/index.js";
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";
import { fp32 } from "../fp32.js";
import { quantized, run } from "../quantization/engine-case.test.support.js";

const cast = (b: Builder, x: ValueId, to: "float64" | "float32" | "int64"): ValueId =>
  b.add("Cast", [x], { to: attribute.int(codeOfDtype(to)) });
const double = (b: Builder, value: number): ValueId =>
  b.editor.constant("d", Tensor.of("float64", [], Float64Array.of(value)));

const inDoubles = (graph: Graph): readonly string[] =>
  graph.order().flatMap(({ op, outputs: [id] }) => {
    const type = id === null || id === undefined ? undefined : graph.value(id).type;
    return type?.kind === "tensor" && type.dtype === "float64" ? [op] : [];
  });

it("keeps digits of whole numbers that become whole numbers again, with which something is found", async () => {
  const graph = graphOf({ x: ["int64", 3] }, (input, b) => {
    const tens = cast(b, b.add("Floor", [b.add("Div", [cast(b, input("x"), "float64"), double(b, 10)])]), "int64"); // prettier-ignore
    const digit = b.add("Sub", [input("x"), b.add("Mul", [tens, b.ints([10])])]);
    return { digit, rows: b.add("Gather", [b.weights(10, 2), digit]) };
  });
  const single = await quantized(fp32, graph);
  expect(inDoubles(single)).toEqual(["Cast", "Div", "Floor"]);
  const x = {
    type: "int64" as const,
    dims: [3],
    data: BigInt64Array.of(123456789n, 33554439n, 7n),
  };
  const { digit } = await run(single, { x });
  expect([...(digit?.data ?? [])]).toEqual([9n, 9n, 7n]);
});

it("keeps what is left of a number that float32 does not hold, and computes on in float32", async () => {
  const graph = graphOf({ t: ["float64", 2] }, (input, b) => {
    const since = b.add("Sub", [input("t"), double(b, 1733083200)]);
    return { y: b.add("MatMul", [b.add("Unsqueeze", [since, b.ints([1])]), b.editor.constant("w", Tensor.of("float64", [1, 1], Float64Array.of(2)))]) }; // prettier-ignore
  });
  const single = await quantized(fp32, graph);
  expect(inDoubles(single)).toEqual(["Sub", "Cast"]);
  const t = {
    type: "float64" as const,
    dims: [2],
    data: Float64Array.of(1733083200.125, 1733083260.5),
  };
  const { y } = await run(single, { t });
  expect([...(y?.data ?? [])]).toEqual([0.25, 121]);
});

it("keeps nothing of masks, and digits behind what only moves them", async () => {
  const graph = graphOf({ t: ["float64", 2, 3], m: ["bool", 2, 3] }, (input, b) => {
    const column = b.add("Gather", [input("t"), b.ints([1])], { axis: attribute.int(1) });
    const masked = b.add("Where", [input("m"), b.add("Tanh", [input("t")]), double(b, -1e9)]);
    return { since: b.add("Sub", [column, double(b, 1733083200)]), masked };
  });
  const single = await quantized(fp32, graph);
  expect(inDoubles(single)).toEqual(["Gather", "Sub", "Cast"]);
  const t = Float64Array.of(0, 1733083200.5, 0, 0, 1733083201.25, 0);
  const feeds = {
    t: { type: "float64" as const, dims: [2, 3], data: t },
    m: { type: "bool" as const, dims: [2, 3], data: new Uint8Array(6) },
  };
  const { since } = await run(single, feeds);
  expect([...(since?.data ?? [])]).toEqual([0.5, 1.25]);
});

it("keeps nothing where numbers are only scaled, as classical models do with counts", async () => {
  const graph = graphOf({ x: ["int64", 2, 3] }, (input, b) => ({
    y: b.add("Mul", [cast(b, input("x"), "float64"), double(b, 0.3)]),
  }));
  expect(inDoubles(await quantized(fp32, graph))).toEqual(["Cast"]);
});
