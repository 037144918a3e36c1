// Distillation on every float model there is, as its file is: weights that were shaken learn to answer as they did, whether the
// model takes several samples at once or one, and whatever operators its gradients go through.
import { performance } from "node:perf_hooks";
import { distill, distillGraph, edit, randomOf, Tensor } from "../../../compiler/dist/index.js";
import { cpu } from "../../../runtime/dist/backends/ort-node.js";
import { fixedGraph, inputsOf, isFloatModel, noiseFor, rangeOf } from "../aot/support/compiled.mjs";
import { knownModels } from "../known-models.mjs";
import { scratch } from "../shell.mjs";

const samples = 6;
const options = { epochs: 4, batch: 2, rate: 3e-4, norms: "frozen", alpha: 1 };
/** Every weight is changed by up to so much of it. */
const shaken = 0.2;

export async function prove({ claim, inform, root }) {
  const failed = [];
  const singles = [];
  let taught = 0;
  await scratch(async (folder) => {
    const { models, missing } = await knownModels(root, folder);
    for (const { name, path } of models) {
      const teacher = await fixedGraph({ name, path });
      if (!isFloatModel(teacher)) continue;
      const notes = [];
      const began = performance.now();
      try {
        const [first, last] = await lossesOf(name, teacher, notes);
        const falls = last < first;
        const said = `${first.toPrecision(3)} → ${last.toPrecision(3)}, ${((performance.now() - began) / 1000).toFixed(1)} s`;
        inform(`${name}: loss of the first epoch and of the last`, { value: said });
        if (notes.some((note) => note.includes("one sample at a time"))) singles.push(name);
        if (falls) taught += 1;
        else failed.push(`${name}: ${said}`);
      } catch (error) {
        failed.push(`${name}: ${error.message}`);
      }
    }
    inform("sources that cannot be had here", {
      value: missing.length,
      ...(missing.length > 0 && { note: missing.join("; ") }),
    });
  });
  inform("models that take one sample at a time", {
    value: singles.length,
    note: singles.join(", "),
  });
  claim("models that are not taught", {
    value: failed.length,
    bound: "≤ 0",
    n: taught + failed.length,
    met: failed.length === 0 && taught >= 8,
    ...(failed.length > 0 && { note: failed.join("; ") }),
  });
}

/** Of the first epoch and the last. */
async function lossesOf(name, teacher, notes) {
  const inputs = inputsOf(teacher);
  const examples = Array.from({ length: samples }, (_, index) => ({
    feeds: noiseFor(inputs, index + 1, rangeOf(name)),
  }));
  const student = teacher.fork();
  await shake(student);
  const signals = beforeSelection(teacher).map((value) => ({ value, loss: "mse" }));
  const { history } = await distillGraph(student, distill.parse({ ...options, signals }), {
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

/** Where boxes are selected at the end, how many there are shows in a run: what is learned is what selects them. */
function beforeSelection(graph) {
  const selections = [...graph.allNodes()].filter(({ op }) => op === "NonMaxSuppression");
  return selections.flatMap(({ inputs }) => inputs.slice(0, 2).map((id) => graph.value(id).name));
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
