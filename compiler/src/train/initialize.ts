import { edit, type Graph, type Node, Tensor } from "../ir/index.js";
import { attributeReader, operatorOf } from "../ops/index.js";
import { isAmong } from "./is-among.js";
import { fansOf } from "./learned-inputs.js";
import { isNamed, type LearnedConstant, learnedConstants } from "./parameters.js";
import { untieVectors } from "./untie-vectors.js";

/**
 * Gives all that was learned fresh numbers. Weights in front of a rectifier are drawn from N(0, 2 / inputs): He and
 * others, Delving deep into rectifiers, ICCV 2015. Other weights from N(0, 2 / (inputs + outputs)): Glorot and Bengio,
 * AISTATS 2010. Tables of rows from N(0, 1 / width), recurrent weights as other weights; biases are 0, scales 1,
 * running means 0 and variances 1.
 * @param random uniform numbers in [0, 1) by name
 * @param frozen names of what stays, statistics too; see `isNamed`
 * @param learn see `learnedConstants`
 */
export function initializeFresh(
  graph: Graph,
  random: (name: string) => () => number,
  frozen: readonly string[] = [],
  learn: readonly string[] = [],
): void {
  // What stays by its own name stays one: copies would have other names in a file.
  untieVectors(graph, (value) => isAmong(frozen, graph.value(value).name));
  const learned = learnedConstants(graph, learn).filter((one) => !isNamed(graph, one, frozen));
  edit(graph, "initialize", (editor) => {
    for (const one of learned) {
      const draw = random(`initialize ${one.name}`);
      editor.setConstant(one.value, Tensor.float32(one.tensor.dims, fresh(graph, one, draw)));
    }
  });
}

function fresh(
  graph: Graph,
  { tensor, as, reader, value }: LearnedConstant,
  draw: () => number,
): Float32Array {
  const values = new Float32Array(tensor.count);
  switch (as) {
    case "weight": {
      const deviation = Math.sqrt(
        variance(graph, reader, reader.inputs.indexOf(value), tensor.dims),
      );
      for (let at = 0; at < values.length; at += 1) values[at] = deviation * normal(draw);
      return values;
    }
    case "scale":
      // A PRelu's scale is its slope.
      return values.fill(operatorOf(reader)?.traits.scaling === "positive" ? 0.25 : 1);
    case "variance":
      return values.fill(1);
    case "bias":
    case "mean":
      return values;
    default:
      return as satisfies never;
  }
}

function variance(graph: Graph, node: Node, input: number, dims: readonly number[]): number {
  const traits = operatorOf(node)?.traits;
  const learned = traits?.learned?.find((one) => one.input === input);
  const fans = learned && fansOf(graph, node, learned);
  const along = (axes: readonly number[]): number =>
    axes.reduce((product, axis) => product * (dims[axis] ?? 1), 1);
  if (fans !== undefined) return varianceOf(graph, node, along(fans.inputs), along(fans.outputs));
  const width = dims.at(-1) ?? 1;
  if (traits?.linear === undefined) return 1 / width;
  const weights = traits.weights?.find((one) => one.input === input);
  const axis = weights?.channelAxis(dims.length, attributeReader(node.attributes)) ?? 1;
  const count = along([...dims.keys()]);
  // Of one output's slice, and of one input's.
  const inputs = count / (dims[axis] ?? 1);
  const outputs = count / (dims[axis === 0 ? 1 : axis - 1] ?? 1);
  return varianceOf(graph, node, inputs, outputs);
}

function varianceOf(graph: Graph, node: Node, inputs: number, outputs: number): number {
  return feedsRectifier(graph, node) ? 2 / inputs : 2 / (inputs + outputs);
}

/** Does its result reach a rectifier, through what keeps channels or adds to them? */
function feedsRectifier(graph: Graph, node: Node): boolean {
  let [output] = node.outputs;
  for (let steps = 0; steps < 8 && output !== undefined && output !== null; steps += 1) {
    const readers = graph.consumers(output);
    if (readers.some((reader) => operatorOf(reader)?.traits.rectifier === true)) return true;
    const [next] = readers;
    if (next === undefined || operatorOf(next)?.traits.linear !== undefined) return false;
    [output] = next.outputs;
  }
  return false;
}

/** Box and Muller. */
function normal(draw: () => number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - draw()));
  return radius * Math.cos(2 * Math.PI * draw());
}
