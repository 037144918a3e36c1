import {
  build,
  dim,
  distill,
  distillGraph,
  type Examples,
  type Graph,
  inferNode,
  initializeFresh,
  newHeader,
  randomOf,
  Tensor,
  tensorType,
  type Workers,
} from "@pare/compiler";
import type { Executor } from "@pare/runtime/format";

/** [N, 6] to four classes, with a dropout on the way; nobody has trained it. */
export function network(): Graph {
  const graph = build(newHeader(21), inferNode, (editor) => {
    const zeros = (name: string, ...dims: readonly number[]) => {
      const count = dims.reduce((a, b) => a * b, 1);
      return editor.constant(name, Tensor.float32(dims, new Float32Array(count)));
    };
    const x = editor.addInput("x", tensorType("float32", [dim.symbol("N"), 6]));
    const hidden = editor.add1("Gemm", [x, zeros("a.w", 6, 16), zeros("a.b", 16)]);
    const ratio = editor.constant("ratio", Tensor.float32([], [0.25]));
    const dropped = editor.add1("Dropout", [editor.add1("Relu", [hidden]), ratio]);
    const scores = editor.add1("Gemm", [dropped, zeros("b.w", 16, 4), zeros("b.b", 4)]);
    editor.rename(scores, "scores");
    editor.addOutput(scores);
  });
  initializeFresh(graph, (name) => randomOf(1, name));
  return graph;
}

/** Points about four others. */
function examples(executor: Executor, workers: Workers | undefined): Examples {
  const draw = randomOf(2, "points");
  const all = Array.from({ length: 60 }, (_, index) => {
    const label = index % 4;
    const data = Float32Array.from({ length: 6 }, (__, at) => draw() + (at === label ? 1 : 0));
    return { feeds: { x: { type: "float32" as const, dims: [1, 6], data } }, label };
  });
  return {
    executor,
    workers,
    count: all.length,
    async *read() {
      yield* all;
    },
  };
}

/** What a small network comes to. */
export async function trained(
  count: number,
  executor: Executor,
  workers?: Workers,
): Promise<{ readonly losses: readonly number[]; readonly weights: readonly number[] }> {
  const graph = network();
  const options = distill.parse({ epochs: 4, batch: 13, rate: 0.01, workers: count });
  const { history } = await distillGraph(graph, options, {
    examples: examples(executor, workers),
    random: (name) => randomOf(3, name),
  });
  const weights: number[] = [];
  for (const { constant } of graph.allValues())
    if (constant?.dtype === "float32") weights.push(...(await constant.readFloat32()));
  return { losses: history.map(({ loss }) => loss), weights };
}
