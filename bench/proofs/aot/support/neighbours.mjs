// The digits that are nearest to one, as scikit-learn's k nearest neighbours are exported: distances by a Scan over all that are
// known, whose body is a graph of its own.
import {
  attribute,
  edit,
  Graph,
  inferNode,
  newHeader,
  Tensor,
  tensorType,
} from "../../../../compiler/dist/index.js";

const classes = 10;
const [side, block] = [28, 4];
const features = (side / block) ** 2;
const [int64, float32] = [7, 1];

/** A picture as the means of its blocks: what neighbours are looked for among has few features. */
export function meansOf({ pixels }) {
  const wide = side / block;
  const means = new Float32Array(features);
  for (const [at, x] of pixels.entries()) {
    const [row, column] = [Math.floor(at / side / block), Math.floor((at % side) / block)];
    means[row * wide + column] += x / block ** 2;
  }
  return { type: "float32", dims: [1, features], data: means };
}

/** @returns a graph: `means` [1, 49] to `label` [1] and `votes` [1, 10] */
export function neighboursOf(known, nearest) {
  const graph = new Graph(newHeader(21), inferNode);
  edit(
    graph,
    "build",
    (editor) => {
      const x = editor.addInput("means", tensorType("float32", [1, features]));
      const rows = Float32Array.from(known.flatMap((one) => [...meansOf(one).data]));
      const all = editor.constant("known", Tensor.float32([known.length, features], rows));
      const body = editor.addBody("distance");
      const inner = (op, inputs, more) => editor.add1(op, inputs, more ?? {}, { body });
      const own = editor.addInput("next_in", tensorType("float32", [1, features]), body);
      const row = editor.addInput("next", tensorType("float32", [features]), body);
      const axes = editor.constant("axes", Tensor.int64([1]), body);
      const squares = inner("ReduceSumSquare", [inner("Sub", [own, row]), axes], {
        keepdims: attribute.int(0),
      });
      editor.addOutput(inner("Identity", [own]), body);
      editor.addOutput(inner("Identity", [squares]), body);
      const scan = { body: attribute.graph(body), num_scan_inputs: attribute.int(1) };
      const [, stacked] = editor.add("Scan", [x, all], scan, { outputs: 2 });
      const add = (op, inputs, more) => editor.add1(op, inputs, more ?? {});
      const distances = add("Sqrt", [
        add("Transpose", [stacked], { perm: attribute.ints([1, 0]) }),
      ]);
      const count = editor.constant("nearest", Tensor.int64([nearest]));
      const [, places] = editor.add(
        "TopK",
        [distances, count],
        { largest: attribute.int(0), axis: attribute.int(-1) },
        { outputs: 2 },
      );
      const labels = BigInt64Array.from(known, ({ label }) => BigInt(label));
      const table = editor.constant("labels", Tensor.of("int64", [known.length], labels));
      const chosen = add("Gather", [table, places]);
      const columns = Array.from({ length: classes }, (_, label) => {
        const is = add("Equal", [chosen, editor.constant("label", Tensor.int64([label]))]);
        const ones = add("Cast", [is], { to: attribute.int(float32) });
        return add("ReduceSum", [ones, editor.constant("axes", Tensor.int64([1]))]);
      });
      const votes = add("Concat", columns, { axis: attribute.int(1) });
      const best = { axis: attribute.int(1), keepdims: attribute.int(0) };
      const label = add("Cast", [add("ArgMax", [votes], best)], { to: attribute.int(int64) });
      for (const [name, id] of Object.entries({ label, votes })) {
        editor.rename(id, name);
        editor.addOutput(id);
      }
    },
    { interface: true },
  );
  return graph;
}
