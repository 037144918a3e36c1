import { graphOf } from "../rules/rule-case.test.support.js";
import { compiledBundle } from "./compiled-bundle.test.support.js";

/** The files of a bundle with a compiled model that keeps those of three boxes that do not overlap, with their scores. */
export async function countingBundle(): Promise<Map<string, Uint8Array>> {
  const graph = graphOf({ boxes: ["float32", 1, 3, 4], all: ["float32", 1, 1, 3] }, (input, b) => {
    const most = [b.ints([3]), b.floats([0.5]), b.floats([0])];
    const rows = b.add("NonMaxSuppression", [input("boxes"), input("all"), ...most]);
    return { scores: b.add("GatherND", [input("all"), rows]), rows };
  });
  const inputs = [
    { name: "boxes", type: "float32", dims: [1, 3, 4] },
    { name: "all", type: "float32", dims: [1, 1, 3] },
  ] as const;
  const given = { boxes: [0, 0, 1, 1, 2, 2, 3, 3, 0, 0, 1, 1], all: [0.5, 0.25, 0.125] };
  const drawn = { generator: "splitmix32", seed: 1, range: [0, 1] } as const;
  const outputs = [
    { name: "scores", type: "float32", dims: [null] },
    { name: "rows", type: "int64", dims: [null, 3] },
  ] as const;
  return compiledBundle("counting", graph, inputs, outputs, [
    {
      inputs: inputs.map((input) => ({ ...input, ...drawn, values: given[input.name] })),
      outputs: [
        {
          name: "scores",
          type: "float32",
          dims: [2],
          indices: [0, 1],
          values: { "aot-float": [0.5, 0.25] },
        },
      ],
    },
  ]);
}
