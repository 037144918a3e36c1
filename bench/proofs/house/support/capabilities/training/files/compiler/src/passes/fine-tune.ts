import { onnxArtifact, PareError, type Tensors, throwIfAborted } from "@pare/runtime/format";
import { edit, type Graph, Tensor } from "../ir/index.js";
import { encodeModel } from "../onnx/index.js";
import type { Example } from "../pipeline/examples.js";
import { integer, number } from "../pipeline/kinds.js";
import { option, type OptionsOf } from "../pipeline/options.js";
import { definePass, type PassContext } from "../pipeline/pass.js";
import { Adam } from "../train/adam.js";
import { trainingStep } from "../train/training-step.js";
import { bringToNormalForm } from "./quantization/normal-form.js";

const described = {
  epochs: option(integer(1), 8, "How often all examples are gone through."),
  rate: option(number, 0.001, "Of Adam."),
  batch: option(integer(1), 20, "Examples of one step."),
};

/** Trains a classifier's last layers on labelled examples, by a training step that any engine runs. */
export const fineTune = definePass({
  name: "fine-tune",
  summary: "train the last layers of a classifier on labelled examples",
  options: described,
  create: (options) => ({
    exactness: "lossy",
    needs: "examples",
    run: (graph, context) => run(graph, context, options),
  }),
});

async function run(
  graph: Graph,
  { examples, random, signal, onProgress }: PassContext,
  { epochs, rate, batch }: OptionsOf<typeof described>,
): Promise<void> {
  if (examples === undefined)
    throw new PareError("DATA_MISMATCH", "fine-tune needs examples to learn from.", {
      where: "fine-tune",
      hint: "Add --data.",
    });
  bringToNormalForm(graph);
  const all: Example[] = [];
  for await (const example of examples.read()) all.push(example);
  const step = trainingStep(graph, batch);
  const { proto } = await encodeModel(step.graph);
  const session = await examples.executor.load(onnxArtifact(proto), { signal });
  const learned = await Promise.all(
    step.parameters.map(async (parameter) => {
      const values = (await parameter.tensor.readFloat32()).slice();
      return { ...parameter, values, adam: new Adam(values.length, rate) };
    }),
  );
  const draw = random?.("fine-tune") ?? (() => 0);
  const losses: number[] = [];
  try {
    for (let epoch = 0; epoch < epochs; epoch += 1) {
      shuffle(all, draw);
      for (let start = 0; start + batch <= all.length; start += batch) {
        throwIfAborted(signal);
        const feeds: Record<string, Tensors[string]> = {
          ...together(all.slice(start, start + batch), classesOf(graph)),
        };
        for (const { input, values, tensor } of learned)
          feeds[input] = { type: "float32", dims: tensor.dims, data: values };
        const made = await session.run(feeds);
        losses.push(Number(made[step.loss]?.data[0]));
        for (const { gradient, values, adam } of learned)
          adam.update(values, (made[gradient]?.data ?? []) as ArrayLike<number>);
      }
      onProgress?.((epoch + 1) / epochs, `loss ${losses.at(-1)?.toPrecision(3)}`);
    }
  } finally {
    await session.dispose();
  }
  edit(graph, "fine-tune", (editor) => {
    for (const { value, values, tensor } of learned) {
      editor.setConstant(value, Tensor.float32(tensor.dims, values));
      const [reader] = graph.consumers(value);
      const [first, last] = [losses[0], losses.at(-1)];
      if (reader !== undefined)
        editor.note(
          reader,
          `trained, loss ${first?.toPrecision(3)} to ${last?.toPrecision(3)} in ${losses.length} steps`,
        );
    }
  });
}

function classesOf(graph: Graph): number {
  const [logits] = graph.main.outputs;
  const type = logits === undefined ? undefined : graph.value(logits).type;
  const classes = type?.kind === "tensor" ? type.shape?.at(-1) : undefined;
  if (typeof classes === "number") return classes;
  throw new PareError("UNSUPPORTED_OP", "fine-tune needs scores of a known number of classes.", {
    where: "fine-tune",
  });
}

/** Examples as one batch along the first axis, and their classes as rows with a single 1. */
function together(examples: readonly Example[], classes: number): Tensors {
  const target = new Float32Array(examples.length * classes);
  const inputs: Record<string, Tensors[string]> = {};
  for (const [index, { feeds, label }] of examples.entries()) {
    if (typeof label !== "number" || !(label >= 0 && label < classes))
      throw new PareError("LABELS", "fine-tune needs classes as labels.", { where: "fine-tune" });
    target[index * classes + label] = 1;
    for (const [name, { dims, data }] of Object.entries(feeds)) {
      const values = data as Float32Array;
      const batch = (inputs[name] ??= {
        type: "float32",
        dims: [examples.length, ...dims.slice(1)],
        data: new Float32Array(examples.length * values.length),
      });
      (batch.data as Float32Array).set(values, index * values.length);
    }
  }
  const dims = [examples.length, classes];
  return { ...inputs, target: { type: "float32", dims, data: target } };
}

/** Fisher and Yates. */
function shuffle(items: Example[], draw: () => number): void {
  for (let left = items.length; left > 1; left -= 1) {
    const other = Math.floor(draw() * left);
    const [a, b] = [items[left - 1] as Example, items[other] as Example];
    items[left - 1] = b;
    items[other] = a;
  }
}
