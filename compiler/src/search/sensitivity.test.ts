import { cpu } from "@pare/runtime/ort-node";
import { expect, it } from "vitest";
import { Fingerprints } from "../analysis/fingerprints.js";
import { MeasuredActivations } from "../calibrate/measured-activations.js";
import type { ValueId } from "../ir/index.js";
import { calibrationOn } from "../passes/quantization/engine-case.test.support.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { keepingFloat } from "./mixed.js";
import { layerSensitivity } from "./sensitivity.js";

it("is measured of each layer alone, also where a node is called as its operator", async () => {
  const graph = graphOf({ x: ["float32", 2, 4] }, (input, b) => {
    const weighted = (from: ValueId, name: string): ValueId =>
      b.editor.add1("MatMul", [from, b.weights(4, 4)], {}, { name });
    return { y: weighted(b.add("Tanh", [weighted(input("x"), "MatMul")]), "MatMul_1") };
  });
  const samples = calibrationOn(graph);
  const examples = {
    ...samples,
    async *read() {
      for await (const feeds of samples.samples()) yield { feeds, label: undefined };
    },
  };
  const group = { steps: [{ use: "quantize-static" }], required: false };
  const measured = await layerSensitivity(
    { graph, groups: [], precision: "float32", statistics: new Map() },
    (nodes) => keepingFloat(group, nodes),
    ["MatMul", "MatMul_1"].map((layer) => ({ layer, op: "MatMul" })),
    { target: "cpu", executor: cpu() },
    examples,
    { activations: new MeasuredActivations(samples), fingerprints: new Fingerprints(), seed: 0 },
    () => {},
  );
  expect(measured.map(({ layer }) => layer).sort()).toEqual(["MatMul", "MatMul_1"]);
  for (const { error } of measured) expect(error).toBeGreaterThan(0);
});
