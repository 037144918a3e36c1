import { attribute, Tensor } from "../ir/index.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { aot } from "../targets/aot.js";
import { bundleFiles } from "./bundle-files.js";

/** The files of a bundle with a compiled model that says in words which of three scores is the largest. */
export async function tellingBundle(): Promise<Map<string, Uint8Array>> {
  const graph = graphOf({ x: ["float32", 1, 3] }, (input, b) => {
    const axis = { axis: attribute.int(1), keepdims: attribute.int(0) };
    const names = ["one", 'of "two"', "three"];
    const labels = b.editor.constant("labels", Tensor.of("string", [3], names));
    return { label: b.add("Gather", [labels, b.add("ArgMax", [input("x")], axis)]) };
  });
  const x = { name: "x", type: "float32", dims: [1, 3] } as const;
  const drawn = { generator: "splitmix32", seed: 1, range: [0, 1], values: [0.5, 0.25, 0.125] } as const; // prettier-ignore
  return bundleFiles({
    name: "telling",
    createdBy: "a test",
    inputs: [x],
    outputs: [{ name: "label", type: "string", dims: [1] }],
    variants: [
      {
        id: "aot-float",
        target: "aot",
        precision: "float32",
        evidence: "none",
        accuracy: null,
        latencyMs: { unmeasured: "a test" },
        tolerance: { absolute: 0, relative: 0 },
        artifact: await aot.emit(graph, {}, {}),
      },
    ],
    golden: { formatVersion: 1, cases: [{ inputs: [{ ...x, ...drawn }], outputs: [] }] },
    source: { bytes: 1, sha256: "0".repeat(64), parameters: 0, macs: null },
    baselines: [],
  });
}
