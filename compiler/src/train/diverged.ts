import {
  type Executor,
  isTypedArray,
  onnxArtifact,
  PareError,
  type Tensors,
} from "@pare/runtime/format";
import { edit, type ValueId } from "../ir/index.js";
import { encodeModel } from "../onnx/index.js";
import { giveOutput } from "./interface.js";
import type { TrainingGraph } from "./training-graph.js";

interface Divergence {
  readonly graph: TrainingGraph;
  /** Of each run of the step whose loss or gradients are not finite. */
  readonly feedsOf: (run: number) => Tensors;
  readonly runs: number;
  readonly loss: number;
  readonly executor: Executor;
  readonly where: string;
  /** Done before it. */
  readonly steps: number;
}

/** The error of a training whose numbers are no longer finite, with the first tensor that is not. */
export async function diverged(step: Divergence): Promise<PareError> {
  const { loss, where, steps } = step;
  const what = Number.isFinite(loss) ? "gradients are" : `loss is ${loss}, which is`;
  const first = await firstNotFinite(step).catch(() => null);
  const named = first === null ? "" : ` The first tensor that is not is "${first}".`;
  return new PareError(
    "DIVERGED",
    `Training stopped after ${steps} steps: the ${what} not a finite number.${named}`,
    {
      where: first === null ? where : `${where} » ${first}`,
      hint: "Lower the rate, also to go on from a checkpoint; or look for samples with numbers that are not finite.",
    },
  );
}

/** What is fed, then what nodes give in order of execution: NaN before infinities, which masks hold on purpose. */
async function firstNotFinite(step: Divergence): Promise<string | null> {
  const { graph, feedsOf, runs, executor } = step;
  for (let run = 0; run < runs; run += 1) {
    const inputs = Object.entries(feedsOf(run));
    const fed = inputs.find(([, tensor]) => holds(tensor, (value) => !Number.isFinite(value)));
    if (fed !== undefined) return labelOf(graph, fed[0]);
  }
  const open = graph.graph.fork();
  const shown: { readonly name: string; readonly output: string }[] = [];
  edit(
    open,
    "diverged",
    (editor) => {
      const values: ValueId[] = open
        .order()
        .flatMap(({ outputs }) => outputs.filter((id) => id !== null));
      for (const id of values) {
        const { name, type } = open.value(id);
        if (type.kind !== "tensor" || type.dtype !== "float32") continue;
        const output = `shown_${shown.length}`;
        giveOutput(editor, open, editor.add1("Identity", [id]), output);
        shown.push({ name, output });
      }
    },
    { interface: true },
  );
  const { proto } = await encodeModel(open);
  const session = await executor.load(onnxArtifact(proto, { graphOptimizationLevel: "disabled" }));
  try {
    for (let run = 0; run < runs; run += 1) {
      const outputs = await session.run(feedsOf(run));
      const first = (is: (value: number) => boolean): string | null =>
        shown.find(({ output }) => holds(outputs[output], is))?.name ?? null;
      const found = first(Number.isNaN) ?? first((value) => !Number.isFinite(value));
      if (found !== null) return found;
    }
    return null;
  } finally {
    await session.dispose();
  }
}

function labelOf({ parameters }: TrainingGraph, input: string): string {
  return parameters.find((one) => one.input === input)?.name ?? input;
}

function holds(tensor: Tensors[string] | undefined, is: (value: number) => boolean): boolean {
  const data = tensor?.data;
  if (!isTypedArray(data) || data instanceof BigInt64Array || data instanceof BigUint64Array)
    return false;
  for (const value of data) if (is(value)) return true;
  return false;
}
