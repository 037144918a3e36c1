// A model whose weights were shaken learns to answer as it did.
import { distill, distillGraph, randomOf } from "../../../../compiler/dist/index.js";
import { cpu } from "../../../../runtime/dist/backends/ort-node.js";
import { inputsOf, noiseFor } from "../../aot/support/compiled.mjs";
import { shake } from "../../support/shake.mjs";

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
  await shake(student, shaken);
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
