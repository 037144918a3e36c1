import { PareError } from "@pare/runtime/format";
import {
  attribute,
  codeOfDtype,
  edit,
  type Editor,
  type Graph,
  Tensor,
  type ValueId,
} from "../ir/index.js";
import { isOfScores, named, type Signal } from "./objectives.js";

/** What of a value is learned. */
type Reading = Pick<Signal, "value" | "loss" | "mask" | "mean">;

/**
 * Adds what signals read of values to a graph: v · m of a value v of [samples, places, width], m being 1 where a mask of
 * [samples, places] is not 0, and else 0; its mean is Σ v · m / Σ m over the places. Without a mask all places count. Losses
 * of scores look behind a value, so that nothing is emitted for them: a mask is that of their terms.
 * @returns names of what is read, in the order of the signals; of values that are read as they are, their own
 * @throws PareError RECIPE where a value or a mask is not there, or the mean of scores is wanted; MODEL_SHAPE where they do
 * not fit
 */
export function emitReadings(
  graph: Graph,
  readings: readonly Reading[],
  whose: "student" | "teacher",
): readonly string[] {
  const taken = new Set([...graph.allValues()].map(({ name }) => name));
  return edit(graph, "signals", (editor) =>
    readings.map(({ value: name, loss, mask, mean = false }) => {
      if (mask === undefined && !mean) return name;
      const value = named(graph, name, whose);
      const places = mask === undefined ? null : placesOf(graph, mask);
      demandPlaces(graph, value, places, whose);
      if (isOfScores(loss)) {
        if (mean) throw noMean(name, loss);
        return name;
      }
      const read = emitReading(editor, value, places, mean);
      let free = `${mean ? "mean of" : "masked"} ${name}`;
      while (taken.has(free)) free += "'";
      taken.add(free);
      editor.rename(read, free);
      return free;
    }),
  );
}

function emitReading(editor: Editor, value: ValueId, mask: ValueId | null, mean: boolean): ValueId {
  const overPlaces = Tensor.int64([1]);
  const sum = (of: ValueId): ValueId =>
    editor.add1("ReduceSum", [of, editor.constant("places", overPlaces)], {
      keepdims: attribute.int(0),
    });
  if (mask === null)
    return editor.add1("ReduceMean", [value, editor.constant("places", overPlaces)], {
      keepdims: attribute.int(0),
    });
  const counts = emitCounts(editor, mask);
  const masked = editor.add1("Mul", [value, counts]);
  if (!mean) return masked;
  // A sample in which nothing counts reads as zeros.
  const least = editor.constant("least", Tensor.float32([], [1]));
  return editor.add1("Div", [sum(masked), editor.add1("Max", [sum(counts), least])]);
}

/** 1 where a mask of [samples, places] is not 0, and else 0: [samples, places, 1]. */
export function emitCounts(editor: Editor, mask: ValueId): ValueId {
  const cast = (value: ValueId, to: "bool" | "float32"): ValueId =>
    editor.add1("Cast", [value], { to: attribute.int(codeOfDtype(to)) });
  const width = editor.constant("width", Tensor.int64([2]));
  return editor.add1("Unsqueeze", [cast(cast(mask, "bool"), "float32"), width]);
}

function noMean(name: string, loss: string): PareError {
  return new PareError("RECIPE", `"${name}" has a mean over places, which no ${loss} is of.`, {
    where: "signals",
    hint: "Let the mean be learned by mse or cosine, or leave it out.",
  });
}

function placesOf(graph: Graph, mask: string): ValueId {
  const inputs = graph.main.inputs.map((id) => graph.value(id));
  const input = inputs.find(({ name }) => name === mask);
  if (input !== undefined) return input.id;
  throw new PareError("RECIPE", `There is no input "${mask}" that could say which places count.`, {
    where: "signals",
    hint: `The inputs are ${inputs.map(({ name }) => name).join(", ")}.`,
  });
}

function demandPlaces(
  graph: Graph,
  value: ValueId,
  mask: ValueId | null,
  whose: "student" | "teacher",
): void {
  for (const [id, axes, rank] of [
    [value, "[samples, places, width]", 3],
    [mask, "[samples, places]", 2],
  ] as const) {
    if (id === null) continue;
    const { name, type } = graph.value(id);
    const shape = type.kind === "tensor" ? type.shape : undefined;
    if (shape === undefined || shape.length === rank) continue;
    throw new PareError(
      "MODEL_SHAPE",
      `"${name}" of the ${whose} is [${shape.join(", ")}], and places count of ${axes}.`,
      { where: "signals", hint: "Leave mask and mean out, or name another value." },
    );
  }
}
