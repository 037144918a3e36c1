import { type Executor, onnxArtifact } from "@pare/runtime/format";
import { edit, Graph, newHeader, Tensor, tensorType } from "../ir/index.js";
import { encodeModel } from "../onnx/index.js";
import { inferNode } from "../ops/index.js";

const length = 64;

/**
 * Does an engine's product of uint8 and int8 saturate? On x86 without VNNI two products are added in 16 bits, so that
 * 255 × 127 twice is 32767 and not 64770. Files whose weights use seven bits are right on either kind.
 */
export async function saturates(executor: Executor): Promise<boolean> {
  const graph = new Graph(newHeader(), inferNode);
  edit(
    graph,
    "saturation-probe",
    (editor) => {
      const x = editor.addInput("x", tensorType("uint8", [1, length]));
      const w = editor.constant(
        "w",
        Tensor.of("int8", [length, 1], new Int8Array(length).fill(127)),
      );
      editor.addOutput(editor.add1("MatMulInteger", [x, w], {}, { outputs: ["y"] }));
    },
    { interface: true },
  );
  const { proto } = await encodeModel(graph);
  const session = await executor.load(onnxArtifact(proto));
  try {
    const x = { type: "uint8", dims: [1, length], data: new Uint8Array(length).fill(255) } as const;
    const { y } = await session.run({ x });
    return Number(y?.data[0]) !== length * 255 * 127;
  } finally {
    await session.dispose();
  }
}
