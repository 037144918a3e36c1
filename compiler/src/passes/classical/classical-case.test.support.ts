import { onnxArtifact, type Tensor as Dense, type Tensors } from "@pare/runtime/format";
import { aot as modules } from "@pare/runtime/aot";
import { cpu } from "@pare/runtime/ort-node";
import { encodeModel } from "../../onnx/index.js";
import type { Attributes, Graph } from "../../ir/index.js";
import { type Declared, graphOf } from "../../rules/rule-case.test.support.js";
import { aot } from "../../targets/aot.js";

/** One node of ai.onnx.ml, on inputs of the model. */
export function classical(
  op: string,
  inputs: Readonly<Record<string, Declared>>,
  attributes: Attributes,
  outputs: readonly string[] = ["y"],
): Graph {
  return graphOf(inputs, (input, { editor }) => {
    editor.setOpset("ai.onnx.ml", 3);
    const ids = editor.add(op, Object.keys(inputs).map(input), attributes, {
      domain: "ai.onnx.ml",
      outputs: outputs.length,
    });
    return Object.fromEntries(ids.map((id, at) => [outputs[at] ?? "", id]));
  });
}

export const strings = (value: readonly string[]) => ({ type: "strings" as const, value });

export async function byEngine(graph: Graph, feeds: Tensors): Promise<Tensors> {
  const session = await cpu().load(onnxArtifact((await encodeModel(graph)).proto));
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
}

export async function byModule(graph: Graph, feeds: Tensors): Promise<Tensors> {
  const session = await modules().load(await aot.emit(graph, {}));
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
}

/** The largest difference of any number to the engine's; infinite where sizes or types differ. */
export function difference(expected: Tensors, actual: Tensors): number {
  return Math.max(...Object.entries(expected).map(([name, own]) => apart(own, actual[name])));
}

function apart(x: Dense, y: Dense | undefined): number {
  if (y === undefined || y.type !== x.type || y.dims.join() !== x.dims.join()) return Infinity;
  if (x.type === "string") return x.data.join("\n") === y.data.join("\n") ? 0 : Infinity;
  return Math.max(
    ...Array.from({ length: x.data.length }, (_, at) => {
      const [own, other] = [Number(x.data[at]), Number(y.data[at])];
      return Object.is(own, other) ? 0 : Math.abs(own - other);
    }).map((own) => (Number.isNaN(own) ? Infinity : own)),
  );
}

export const floats = (dims: readonly number[], values: readonly number[]): Dense => ({
  type: "float32",
  dims,
  data: Float32Array.from(values),
});
