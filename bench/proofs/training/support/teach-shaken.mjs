// A model whose weights were shaken learns to answer as it did.
import { distill, distillGraph, edit, randomOf, Tensor } from "../../../../compiler/dist/index.js";
import { cpu } from "../../../../runtime/dist/backends/ort-node.js";
import { inputsOf, noiseFor } from "../../aot/support/compiled.mjs";

const samples = 6;
const options = { epochs: 4, batch: 2, rate: 3e-4, norms: "frozen", alpha: 1 };
/** Every weight is changed by up to so much of it. */
const shaken = 0.2;

/** The losses of the first epoch and of the last; what was noted is added to `notes`. */
export async function teachShaken(teacher, range, notes) {
  const inputs = inputsOf(teacher);
  const examples = Array.from({ length: samples }, (_, index) => ({
    feeds: noiseFor(inputs, index + 1, range),
  }));
  const student = teacher.fork();
  await shake(student);
  const { history } = await distillGraph(student, distill.parse(options), {
    examples: {
      executor: cpu(),
      count: samples,
      async *read() {
        yield* examples;
      },
    },
    teacher,
    random: (one) => randomOf(1, one),
    onNote: (note) => notes.push(note),
  });
  return [history[0].loss, history.at(-1).loss];
}

async function shake(graph) {
  const random = randomOf(1, "shaken");
  const weights = [...graph.allValues()].filter(
    ({ constant }) => constant?.dtype === "float32" && constant.dims.length > 1,
  );
  const numbers = new Map();
  for (const { id, constant } of weights) numbers.set(id, await constant.readFloat32());
  edit(graph, "shake", (editor) => {
    for (const { id, constant } of weights) {
      const values = numbers.get(id).map((x) => x * (1 + shaken * (2 * random() - 1)));
      editor.setConstant(id, Tensor.float32(constant.dims, values));
    }
  });
}
