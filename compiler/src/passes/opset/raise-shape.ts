import { attribute } from "../../ir/index.js";
import { adapter, type Adapter, type Step } from "./adapter.js";
import { reductions } from "./reductions.js";

/** An attribute of integers becomes the input at `index`. */
function attributeToInput(step: Step, name: string, index: number): void {
  const values = step.attributes.ints(name);
  if (values !== undefined) step.editor.setInput(step.node.id, index, step.int64(name, values));
  step.drop(name);
}

function sliceInputs(step: Step): void {
  attributeToInput(step, "starts", 1);
  attributeToInput(step, "ends", 2);
  attributeToInput(step, "axes", 3);
}

function padInputs(step: Step): void {
  attributeToInput(step, "pads", 1);
  const value = step.attributes.float("value", 0);
  if (value !== 0) step.editor.setInput(step.node.id, 2, step.float("value", [value], []));
  step.drop("value");
}

function renamePaddings(step: Step): void {
  const paddings = step.attributes.get("paddings");
  if (paddings !== undefined) step.editor.setAttribute(step.node.id, "pads", paddings);
  step.drop("paddings");
}

/** Opset 18 wants the number of parts where their sizes are not given. */
function countParts(step: Step): void {
  if (step.input(1) === undefined)
    step.editor.setAttribute(step.node.id, "num_outputs", attribute.int(step.node.outputs.length));
}

/** Sizes were an input at opset 1, then an attribute, then an input again: constants make the round trip. */
function splitSizesToAttribute(step: Step): void {
  const sizes = step.input(1);
  if (sizes === undefined) return;
  const numbers = step.graph.constant(sizes)?.numbers();
  if (numbers === undefined) step.refuse("the sizes of its parts are computed");
  step.editor.setAttribute(step.node.id, "split", attribute.ints(numbers));
  step.editor.trimInputs(step.node.id, 1);
}

/** repeats = 1 everywhere but at `axis`. */
function tileRepeats(step: Step): void {
  const rank = step.rank(0);
  const tiles = step.graph.constant(step.input(1))?.numbers()?.[0];
  const axis = step.graph.constant(step.input(2))?.numbers()?.[0];
  if (rank === undefined || tiles === undefined || axis === undefined)
    step.refuse("its count, its axis or the rank it works on is computed");
  const repeats = Array.from({ length: rank }, (_, at) => (at === axis ? tiles : 1));
  step.editor.setInput(step.node.id, 1, step.int64("repeats", repeats));
  step.editor.trimInputs(step.node.id, 2);
}

function topKInput(step: Step): void {
  const k = step.attributes.int("k");
  if (k !== undefined) step.editor.setInput(step.node.id, 1, step.int64("k", [k]));
  step.drop("k");
}

export const shapeAdapters: readonly Adapter[] = [
  ...adapter("Pad", 2, renamePaddings),
  ...adapter("Split", 2, splitSizesToAttribute),
  ...adapter("Concat", 4, (step) => {
    if (!step.attributes.has("axis"))
      step.editor.setAttribute(step.node.id, "axis", attribute.int(1));
  }),
  ...adapter("Reshape", 5, (step) => attributeToInput(step, "shape", 1)),
  ...adapter("Tile", 6, tileRepeats),
  ...adapter("Slice", 10, sliceInputs),
  ...adapter("TopK", 10, topKInput),
  ...adapter("Pad", 11, padInputs),
  ...adapter("Scatter", 11, (step) => step.editor.setOp(step.node.id, "ScatterElements")),
  ...adapter(["Squeeze", "Unsqueeze", "ReduceSum"], 13, (step) =>
    attributeToInput(step, "axes", 1),
  ),
  ...adapter("Split", 13, (step) => attributeToInput(step, "split", 1)),
  ...adapter(reductions, 18, (step) => attributeToInput(step, "axes", 1)),
  ...adapter("Split", 18, countParts),
];
