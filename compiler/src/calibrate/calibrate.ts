import {
  type Executor,
  isTypedArray,
  onnxArtifact,
  PareError,
  type Session,
  type Tensors,
  throwIfAborted,
} from "@pare/runtime/format";
import { edit, type Graph, type ValueId } from "../ir/index.js";
import { encodeModel } from "../onnx/index.js";
import { Observer } from "../quantize/observer.js";

export interface CalibrateOptions {
  /** The activations to observe: float32 values of the main graph. */
  readonly values: readonly ValueId[];
  /** Of these also the mean along an axis, of each channel; −1 is the last axis. */
  readonly channelAxes?: ReadonlyMap<ValueId, number>;
  readonly signal?: AbortSignal | undefined;
  /** Done so far, of 1. */
  readonly onProgress?: ((fraction: number, what: string) => void) | undefined;
}

/** What one run may give back at most, as far as shapes tell. */
const bytesPerRun = 128 * 2 ** 20;
/** Stands for a dim that shapes do not tell. */
const guessedDim = 64;

/**
 * Runs samples through a copy of the graph that gives away the wanted activations, and observes them as they come:
 * nothing of them is kept, samples may differ in shape. Activations that are too many for one run are shared out over
 * several, each of which reads the samples again.
 * @param samples starts anew at each call
 * @throws PareError DATA_MISMATCH when there is no sample; ENGINE; ABORTED
 */
export async function calibrate(
  graph: Graph,
  executor: Executor,
  samples: () => AsyncIterable<Tensors>,
  count: number,
  options: CalibrateOptions,
): Promise<ReadonlyMap<ValueId, Observer>> {
  const observers = new Map(options.values.map((value) => [value, new Observer()]));
  const isInput = (value: ValueId): boolean => graph.main.inputs.includes(value);
  const inputs = options.values.filter(isInput);
  const rounds = shareOut(
    graph,
    options.values.filter((value) => !isInput(value)),
  );
  const look = (value: ValueId, tensor: Tensors[string] | undefined): void => {
    if (tensor === undefined || tensor.type !== "float32" || !isTypedArray(tensor.data)) return;
    const data = tensor.data as Float32Array;
    const observer = observers.get(value);
    observer?.observe(data);
    const axis = options.channelAxes?.get(value);
    if (axis !== undefined) observer?.observeChannels(data, tensor.dims, axis);
  };
  for (const [index, round] of (rounds.length === 0 ? [[]] : rounds).entries()) {
    const probe =
      round.length === 0 ? undefined : await open(graph, round, executor, options.signal);
    try {
      let done = 0;
      for await (const feeds of samples()) {
        throwIfAborted(options.signal);
        if (index === 0) for (const value of inputs) look(value, feeds[graph.value(value).name]);
        const tensors = await probe?.session.run(feeds, options.signal);
        for (const value of round) look(value, tensors?.[probe?.names.get(value) ?? ""]);
        done += 1;
        const fraction =
          (index + Math.min(1, done / Math.max(1, count))) / Math.max(1, rounds.length);
        options.onProgress?.(fraction, "calibrating");
      }
      if (done === 0)
        throw new PareError("DATA_MISMATCH", "There is no sample to calibrate with.", {
          hint: "Give the calibration split at least one sample.",
        });
    } finally {
      await probe?.session.dispose();
    }
  }
  return observers;
}

async function open(
  graph: Graph,
  values: readonly ValueId[],
  executor: Executor,
  signal: AbortSignal | undefined,
): Promise<{ session: Session; names: ReadonlyMap<ValueId, string> }> {
  const copy = graph.fork();
  const names = new Map(values.map((value) => [value, `observed_${value}`]));
  edit(
    copy,
    "calibrate",
    (editor) => {
      for (let index = copy.main.outputs.length - 1; index >= 0; index -= 1)
        editor.removeOutput(index);
      for (const [value, name] of names) {
        editor.rename(value, name);
        editor.addOutput(value);
      }
    },
    { interface: true },
  );
  const { proto } = await encodeModel(copy);
  const session = await executor.load(onnxArtifact(proto), { signal });
  return { session, names };
}

/** Splits values into rounds whose tensors fit into memory together. */
function shareOut(graph: Graph, values: readonly ValueId[]): readonly (readonly ValueId[])[] {
  const rounds: ValueId[][] = [];
  let bytes = Infinity;
  for (const value of values) {
    const { type } = graph.value(value);
    const shape = type.kind === "tensor" && type.shape !== undefined ? type.shape : [];
    const size = shape.reduce<number>(
      (product, dim) => product * (typeof dim === "number" ? dim : guessedDim),
      4,
    );
    if (bytes + size > bytesPerRun) {
      rounds.push([]);
      bytes = 0;
    }
    rounds.at(-1)?.push(value);
    bytes += size;
  }
  return rounds;
}
