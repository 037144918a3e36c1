import { PareError } from "@pare/runtime/format";
import { attribute, type Editor, edit, type Graph, Tensor, type ValueId } from "../ir/index.js";
import { operatorOf } from "../ops/index.js";

/** A constant that is learned: an input of the training step, whose gradient is an output. */
export interface Parameter {
  readonly value: ValueId;
  readonly tensor: Tensor;
  readonly input: string;
  readonly gradient: string;
}

/** A graph that gives the loss and the gradients of its parameters. */
export interface TrainingStep {
  readonly graph: Graph;
  readonly target: string;
  readonly loss: string;
  readonly parameters: readonly Parameter[];
}

/**
 * The classifier's cross-entropy and its derivative by every parameter that is reached backwards through operators
 * whose gradient is known. L = −Σ t log softmax(z) / n, so dL/dz = (softmax(z) − t) / n.
 * @throws PareError UNSUPPORTED_OP where there is none
 */
export function trainingStep(model: Graph, batch: number): TrainingStep {
  const graph = model.fork();
  const [logits] = graph.main.outputs;
  if (logits === undefined) throw new PareError("MODEL_INVALID", "The model has no output.");
  const order = [...graph.order()].reverse();
  const found = new Map<ValueId, ValueId>();
  edit(
    graph,
    "training-step",
    (editor) => {
      const target = editor.addInput("target", graph.value(logits).type);
      const { loss, gradient } = crossEntropy(editor, logits, target, batch);
      const gradients = new Map([[logits, gradient]]);
      for (const node of order) {
        const [output = null] = node.outputs;
        const dy = output === null ? undefined : gradients.get(output);
        const backward = operatorOf(node)?.traits.gradient;
        if (dy === undefined || backward === undefined) continue;
        for (const [index, dx] of backward({ editor, node, gradient: dy }).entries()) {
          const input = node.inputs[index];
          if (dx === null || input === null || input === undefined) continue;
          const before = gradients.get(input);
          const sum = before === undefined ? dx : editor.add1("Add", [before, dx]);
          gradients.set(input, sum);
          if (graph.constant(input)?.dtype === "float32") found.set(input, sum);
        }
      }
      editor.removeOutput(0);
      editor.rename(loss, "loss");
      editor.addOutput(loss);
      for (const [value, sum] of found) {
        editor.rename(sum, `gradient_${value}`);
        editor.addOutput(sum);
        const input = editor.addInput(`parameter_${value}`, graph.value(value).type);
        editor.replace(value, input, "learned");
      }
    },
    { interface: true },
  );
  if (found.size === 0)
    throw new PareError("UNSUPPORTED_OP", "No parameter's gradient is known.", {
      where: "training-step",
    });
  const parameters = [...found.keys()].flatMap((value) => {
    const tensor = model.constant(value);
    const names = { input: `parameter_${value}`, gradient: `gradient_${value}` };
    return tensor === undefined ? [] : [{ value, tensor, ...names }];
  });
  return { graph, target: "target", loss: "loss", parameters };
}

function crossEntropy(
  editor: Editor,
  logits: ValueId,
  target: ValueId,
  batch: number,
): { readonly loss: ValueId; readonly gradient: ValueId } {
  const one = (name: string, value: number): ValueId =>
    editor.constant(name, Tensor.float32([], [value]));
  const share = one("share", 1 / batch);
  const last = { axis: attribute.int(-1) };
  const likely = editor.add1("Softmax", [logits], last);
  const logs = editor.add1("LogSoftmax", [logits], last);
  const all = editor.add1("ReduceSum", [editor.add1("Mul", [target, logs])], {
    keepdims: attribute.int(0),
  });
  return {
    loss: editor.add1("Mul", [all, one("negative_share", -1 / batch)]),
    gradient: editor.add1("Mul", [editor.add1("Sub", [likely, target]), share]),
  };
}
