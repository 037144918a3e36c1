import { attribute } from "../ir/index.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { compiledBundle } from "./compiled-bundle.test.support.js";

/** The files of a bundle with a compiled model that takes two words, and says of which of three categories each is. */
export async function askingBundle(): Promise<Map<string, Uint8Array>> {
  const graph = graphOf({ x: ["string", 2], z: ["float32", 2, 1] }, (input, b) => {
    b.editor.setOpset("ai.onnx.ml", 3);
    const own = {
      cats_strings: { type: "strings", value: ["no", 'a "yes"', "__proto__"] },
      zeros: attribute.int(1),
    } as const;
    const columns = b.editor.add1("OneHotEncoder", [input("x")], own, { domain: "ai.onnx.ml" });
    return { y: b.add("Add", [columns, input("z")]) };
  });
  const inputs = [
    { name: "x", type: "string", dims: [2] },
    { name: "z", type: "float32", dims: [2, 1] },
  ] as const;
  const drawn = { generator: "splitmix32", seed: 1, range: [0, 1] } as const;
  const [x, z] = inputs;
  const y = { name: "y", type: "float32", dims: [2, 3] } as const;
  const given = [
    { ...x, ...drawn, values: ["no", "none"] },
    { ...z, ...drawn },
  ];
  return compiledBundle("asking", graph, [...inputs], [y], [{ inputs: given, outputs: [] }]);
}
