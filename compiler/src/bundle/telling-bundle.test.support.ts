import { attribute, Tensor } from "../ir/index.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { compiledBundle } from "./compiled-bundle.test.support.js";

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
  const label = { name: "label", type: "string", dims: [1] } as const;
  return compiledBundle(
    "telling",
    graph,
    [x],
    [label],
    [{ inputs: [{ ...x, ...drawn }], outputs: [] }],
  );
}
