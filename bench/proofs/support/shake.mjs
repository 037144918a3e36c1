import { edit, randomOf, Tensor } from "../../../compiler/dist/index.js";

/** Changes every weight of a graph by up to so much of it, the same each time. */
export async function shake(graph, by) {
  const random = randomOf(1, "shaken");
  const weights = [...graph.allValues()].filter(
    ({ constant }) => constant?.dtype === "float32" && constant.dims.length > 1,
  );
  const numbers = new Map();
  for (const { id, constant } of weights) numbers.set(id, await constant.readFloat32());
  edit(graph, "shake", (editor) => {
    for (const { id, constant } of weights) {
      const values = numbers.get(id).map((x) => x * (1 + by * (2 * random() - 1)));
      editor.setConstant(id, Tensor.float32(constant.dims, values));
    }
  });
}
