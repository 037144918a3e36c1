import { attribute, Tensor, type ValueId } from "../../ir/index.js";
import { cellActivations } from "./cell-activations.js";
import type { LayerConfig } from "./layer-config.js";
import type { LayerTranslation } from "./layer-translation.js";
import { maskedSteps, reversedInTime } from "./masked-steps.js";

/** What a recurrent layer makes in one direction. */
export interface CellOutputs {
  /** Of every step, in the order in which steps were taken. */
  readonly asTaken: () => ValueId;
  /** Of every step, in the order of the input's steps. */
  readonly inTime: () => ValueId;
  /** After the last step; the first of them is what the last step gave. */
  readonly states: readonly ValueId[];
}

export interface CellRun {
  /** How the layer is configured, and of which class it is. */
  readonly config: LayerConfig;
  readonly isBackward: boolean;
  /** The scope of its weights within the layer's. */
  readonly inside: string | undefined;
  readonly initial: readonly ValueId[];
}

const gates = { GRU: 3, LSTM: 4, SimpleRNN: 1 } as const;
const operators = { GRU: "GRU", LSTM: "LSTM", SimpleRNN: "RNN" } as const;
type CellKind = keyof typeof gates;

function isCellKind(kind: string): kind is CellKind {
  return Object.hasOwn(gates, kind);
}

/** A cell over all steps of [batch, steps, features]. */
export function runCell(at: LayerTranslation, value: ValueId, run: CellRun): CellOutputs {
  const { config, isBackward } = run;
  const { kind } = config;
  if (!isCellKind(kind)) return at.refuse(`it is of the layer ${kind}`);
  if (config.flag("stateful", false)) return at.refuse("it keeps its state from run to run");
  const mask = at.masks.of(value);
  if (mask === undefined && at.masks.isLost(value))
    return at.refuse("which of its steps count is not known behind a layer that drops masks");
  const isTurned = isBackward && mask !== undefined;
  const steps = isTurned ? reversedInTime(at, value) : value;
  const masked =
    mask === undefined
      ? undefined
      : maskedSteps(at, steps, isTurned ? reversedInTime(at, mask) : mask);
  const initial = run.initial.map((state) => at.add("Unsqueeze", [state, at.integers([0])]));
  const states = kind === "LSTM" ? 2 : 1;
  if (initial.length > 0 && initial.length !== states)
    return at.invalid(`is given ${initial.length} states`);
  const { inputs, units } = weightsOf(at, kind, run);
  const made = at.addAll(
    operators[kind],
    [
      at.transpose(masked?.steps ?? steps, [1, 0, 2]),
      ...inputs,
      masked?.counts ?? null,
      ...initial,
    ],
    1 + states,
    {
      ...cellActivations(at, config),
      direction: attribute.string(isBackward && !isTurned ? "reverse" : "forward"),
      hidden_size: attribute.int(units),
      ...(kind === "GRU" && {
        linear_before_reset: attribute.int(config.flag("reset_after", false) ? 1 : 0),
      }),
    },
  );
  const [all, ...last] = made;
  if (all === undefined) return at.invalid("gives nothing");
  const everyStep = (): ValueId => {
    const rows = at.add("Squeeze", [at.add("Transpose", [all], { perm: attribute.ints([2, 0, 1, 3]) }), at.integers([2])]); // prettier-ignore
    return masked?.spread(rows, run.initial[0]) ?? rows;
  };
  // Whether steps were taken in the reverse of the order in which ONNX gives them.
  const isOther = isBackward && !isTurned;
  return {
    asTaken: () => (isOther ? reversedInTime(at, everyStep()) : everyStep()),
    inTime: () => (isTurned ? reversedInTime(at, everyStep()) : everyStep()),
    states: last.map((state, index) => {
      const row = at.add("Squeeze", [state, at.integers([0])]);
      return masked?.last(row, run.initial[index]) ?? row;
    }),
  };
}

/** [directions, gates · units, …] from [inputs, gates · units], and both biases. */
function weightsOf(at: LayerTranslation, kind: CellKind, { config, inside }: CellRun) {
  const { tensor } = at.find("recurrent_kernel", 2, inside);
  const [units = 0] = tensor.dims;
  const [kernel, recurrent] = ["kernel", "recurrent_kernel"].map((name) => {
    const turned = at.transpose(ordered(at, kind, at.find(name, 2, inside).value, 1), [1, 0]);
    return at.add("Unsqueeze", [turned, at.integers([0])]);
  });
  if (!config.flag("use_bias", true))
    return { inputs: [kernel ?? null, recurrent ?? null, null], units };
  const bias = at.find("bias", undefined, inside);
  const isPair = bias.tensor.dims.length === 2;
  const flat = isPair
    ? at.add("Reshape", [bias.value, at.integers([-1])])
    : at.add("Concat", [
        ordered(at, kind, bias.value, 0),
        at.constant(Tensor.float32(bias.tensor.dims, new Float32Array(bias.tensor.count))),
      ], { axis: attribute.int(0) }); // prettier-ignore
  const both = at.add("Unsqueeze", [flat, at.integers([0])]);
  return { inputs: [kernel ?? null, recurrent ?? null, both], units };
}

/** Keras has an LSTM's gates as input, forget, cell, output; ONNX as input, output, forget, cell. Others are alike. */
function ordered(at: LayerTranslation, kind: CellKind, value: ValueId, axis: number): ValueId {
  if (kind !== "LSTM") return value;
  const [input, forget, cell, output] = at.addAll("Split", [value], gates[kind], {
    axis: attribute.int(axis),
    num_outputs: attribute.int(gates[kind]),
  });
  const order = [input, output, forget, cell].map((gate) => gate ?? null);
  return at.add("Concat", order, { axis: attribute.int(axis) });
}
