import { onnxArtifact, type Tensor as Dense } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { expect, it } from "vitest";
import {
  attribute,
  type Attributes,
  edit,
  Graph,
  newHeader,
  Tensor,
  tensorType,
} from "../../ir/index.js";
import { encodeModel } from "../../onnx/index.js";
import { inferNode } from "../shape/infer.js";
import { attributeReader } from "../schema/attributes.js";
import { activations } from "./activations.js";
import { evaluateGraph } from "./execute.js";

const xs = [-40, -2, -0.3, 0, 0.3, 0.5, 0.9, 2, 40];

/** What the functions of a bidirectional RNN of one unit make of numbers, one in each direction: here, and in onnxruntime. */
async function both(
  functions: readonly string[],
  shaped: Attributes,
): Promise<readonly (readonly number[])[]> {
  const graph = new Graph(newHeader(), inferNode);
  edit(
    graph,
    "build",
    (editor) => {
      const x = editor.addInput("x", tensorType("float32", [1, xs.length, 1]));
      const [w, r] = [1, 0].map((value) =>
        editor.constant(`w${value}`, Tensor.float32([2, 1, 1], [value, value])),
      );
      const attributes = {
        ...shaped,
        activations: { type: "strings", value: functions } as const,
        direction: attribute.string("bidirectional"),
        hidden_size: attribute.int(1),
      };
      editor.addOutput(
        editor.add1("RNN", [x, w ?? null, r ?? null], attributes, { outputs: ["y"] }),
      );
    },
    { interface: true },
  );
  const x: Dense = { type: "float32", dims: [1, xs.length, 1], data: Float32Array.from(xs) };
  const session = await cpu().load(onnxArtifact((await encodeModel(graph)).proto));
  const engine = (await session.run({ x }))["y"];
  await session.dispose();
  const own = (await evaluateGraph(graph, { x }))["y"];
  return [own, engine].map((y) => Array.from(y?.data ?? [], Number));
}

/** More than one takes, so that whose each is can be told. */
const shaping: Attributes = {
  activation_alpha: attribute.floats([0.7, 0.4]),
  activation_beta: attribute.floats([0.3, 0.2]),
};

it.each([
  ["Affine", "Elu"],
  ["Tanh", "Affine"],
  ["Sigmoid", "HardSigmoid"],
  ["Relu", "LeakyRelu"],
  ["LeakyRelu", "ScaledTanh"],
  ["Softplus", "ThresholdedRelu"],
  ["Softsign", "Elu"],
] as const)("%s and %s take the next of the numbers that are given", async (...functions) => {
  const [own = [], engine = []] = await both(functions, shaping);
  expect(own).toHaveLength(2 * xs.length);
  own.forEach((value, at) => expect(value).toBeCloseTo(engine[at] ?? NaN, 5));
});

it("have ONNX's defaults where no numbers are given", async () => {
  const [own = [], engine = []] = await both(["LeakyRelu", "HardSigmoid"], {});
  own.forEach((value, at) => expect(value).toBeCloseTo(engine[at] ?? NaN, 5));
});

it("do not overflow where their results do not", () => {
  const [softplus] = activations(attributeReader(new Map()), ["Softplus"]);
  expect(softplus?.(800)).toBe(800);
});
