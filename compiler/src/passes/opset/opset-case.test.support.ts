import type { Backend, Tensor as Dense, Tensors } from "@pare/runtime/format";
import { byteSource, onnxArtifact } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import type { Graph, ValueId } from "../../ir/index.js";
import { decodeModel, encodeModel } from "../../onnx/index.js";
import { inferNode } from "../../ops/index.js";
import {
  type Builder,
  compare,
  type Declared,
  graphOf,
  madeUp,
} from "../../rules/rule-case.test.support.js";

const engine: Backend = cpu();
/** As written: nothing that the engine would do at load hides a difference. */
const session = { graphOptimizationLevel: "disabled" } as const;

/** What the engine makes of a model. */
export async function runBytes(proto: Uint8Array, feeds: Tensors): Promise<Tensors> {
  const loaded = await engine.load(onnxArtifact(proto, session));
  try {
    return await loaded.run(feeds);
  } finally {
    await loaded.dispose();
  }
}

export async function reopened(graph: Graph): Promise<Graph> {
  const { proto } = await encodeModel(graph);
  return decodeModel({ proto: byteSource(proto) }, { infer: inferNode });
}

/** A graph in an old opset, its types unknown, as rows know only opset 21. */
export function old(
  opset: number,
  input: Declared,
  build: (x: ValueId, b: Builder) => ValueId,
): Graph {
  return graphOf(
    { x: input },
    (x, b) => ({ y: build(x("x"), b) }),
    opset,
    () => [],
  );
}

/** Runs a graph as it is and after `change`, on the engine; the numbers must be the same. */
export async function sameAfter(
  graph: Graph,
  change: (graph: Graph) => void | Promise<void>,
  sizes: Readonly<Record<string, number>> = {},
): Promise<Graph> {
  const feeds = madeUp(graph, sizes);
  const before = await runBytes((await encodeModel(graph)).proto, feeds);
  const changed = await reopened(graph);
  await change(changed);
  const after = await runBytes((await encodeModel(changed)).proto, feeds);
  for (const [name, expected] of Object.entries<Dense>(before))
    compare(name, expected, after[name], 1e-6);
  return changed;
}
