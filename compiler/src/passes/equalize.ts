import { edit, type Editor, type Graph, type Node, type NodeId, Tensor } from "../ir/index.js";
import { isWeightedOp, type WeightedNode } from "../analysis/weighted-node.js";
import { definePass, type PassContext } from "../pipeline/pass.js";
import { balance, type Pair } from "./equalization/balance.js";
import { Layer } from "./equalization/layer.js";
import { linkBehind } from "./equalization/links.js";
import { bringToFloat32 } from "./normal-form.js";

/**
 * Cross-layer equalization (Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias
 * Correction", eq. 4–11). Where f is positively homogeneous, W₂ f(W₁x + b₁) = W₂S f(S⁻¹W₁x + S⁻¹b₁) for every diagonal
 * S > 0. With sᵢ = √(r₁ᵢ / r₂ᵢ), where r₁ᵢ is the largest magnitude of the weights that make channel i and r₂ᵢ of those
 * that read it, both become √(r₁ᵢ r₂ᵢ), so that one scale per tensor serves all channels alike.
 */
export const equalize = definePass({
  name: "equalize",
  summary:
    "scale channels between layers so that their weights have like ranges: they round better, and nothing else changes",
  options: {},
  create: () => ({ exactness: "rounding", run }),
});

/** Factors nearer to 1 are no gain; so a model that was equalized before stays as it is. */
const worthwhile = 0.01;

async function run(graph: Graph, context: PassContext): Promise<void> {
  await bringToFloat32(graph);
  const pairs = await pairsOf(graph);
  const before = new Map<Layer, Spreads>();
  for (const { source, reader } of pairs)
    for (const layer of [source, reader]) before.set(layer, spreadsOf(layer));
  balance(pairs, context);
  const changed = pairs.filter((pair) => {
    if (pair.source.outputs.some((factor) => Math.abs(Math.log(factor)) > worthwhile)) return true;
    graph.leave("equalize", pair.from.node, "its channels are in balance with what reads them");
    pair.source.outputs.fill(1);
    pair.reader.inputs.fill(1);
    return false;
  });
  if (changed.length === 0) return;
  const layers = [...new Set(changed.flatMap(({ source, reader }) => [source, reader]))];
  const constants = [
    ...(await Promise.all(changed.flatMap(scaledShifts))),
    ...(await Promise.all(layers.flatMap(scaledParameters))),
  ];
  edit(graph, "equalize", (editor) => {
    for (const constant of constants) put(graph, editor, constant);
    for (const layer of layers) {
      const { outputs, inputs } = before.get(layer) ?? spreadsOf(layer);
      const after = spreadsOf(layer);
      const said = [
        scaledText("outputs", layer.outputs, outputs, after.outputs),
        scaledText("inputs", layer.inputs, inputs, after.inputs),
      ];
      editor.note(layer.weighted.node, said.filter((text) => text !== "").join("; "));
    }
  });
}

async function pairsOf(graph: Graph): Promise<readonly Pair[]> {
  const layers = new Map<NodeId, Promise<Layer>>();
  const layerOf = (weighted: WeightedNode): Promise<Layer> => {
    const { node, weightTensor } = weighted;
    const known = layers.get(node.id);
    const layer = known ?? weightTensor.readFloat32().then((values) => new Layer(weighted, values));
    layers.set(node.id, layer);
    return layer;
  };
  const pairs: Pair[] = [];
  for (const node of graph.order()) {
    const link = isWeightedOp(node) ? linkBehind(graph, node) : null;
    if (link === null) continue;
    if ("why" in link) {
      graph.leave("equalize", node, link.why);
      continue;
    }
    const pair = { ...link, source: await layerOf(link.from), reader: await layerOf(link.to) };
    if (pair.source.isFinite && pair.reader.isFinite) pairs.push(pair);
    else graph.leave("equalize", node, "not all weights are finite");
  }
  return pairs;
}

/** A constant that takes another one's place in one node. */
interface Replacement {
  readonly node: Node;
  readonly input: number;
  readonly tensor: Tensor;
}

async function scaled(
  { node, input, tensor }: Replacement,
  factors: Float64Array,
  each: number,
): Promise<Replacement> {
  const values = (await tensor.readFloat32()).map(
    (value, at) => value * (factors[Math.floor(at / each)] as number),
  );
  return { node, input, tensor: Tensor.float32(tensor.dims, values) };
}

function scaledShifts({ shifts, source }: Pair): readonly Promise<Replacement>[] {
  return shifts.map((shift) => scaled(shift, source.outputs, shift.each));
}

function scaledParameters(layer: Layer): readonly Promise<Replacement>[] {
  const { node, linear, weightTensor, bias } = layer.weighted;
  const weights = Tensor.float32(weightTensor.dims, layer.scaledValues());
  return [
    Promise.resolve({ node, input: linear.weight, tensor: weights }),
    ...(bias === null || linear.bias === undefined
      ? []
      : [scaled({ node, input: linear.bias, tensor: bias.tensor }, layer.outputs, 1)]),
  ];
}

function put(graph: Graph, editor: Editor, { node, input, tensor }: Replacement): void {
  const id = node.inputs[input];
  if (id === null || id === undefined) return;
  const { uses, name } = graph.value(id);
  if (uses.length === 1) editor.setConstant(id, tensor);
  else editor.setInput(node.id, input, editor.constant(`${name}_equalized`, tensor));
}

/** How many times the largest range of a layer's channels is the smallest that is not 0. */
interface Spreads {
  readonly outputs: number;
  readonly inputs: number;
}

function spreadsOf(layer: Layer): Spreads {
  return { outputs: spread(layer.outputRanges()), inputs: spread(layer.inputRanges()) };
}

function spread(ranges: Float64Array): number {
  let [low, high] = [Infinity, 0];
  for (const range of ranges) {
    if (range === 0) continue;
    low = Math.min(low, range);
    high = Math.max(high, range);
  }
  return high === 0 ? 1 : high / low;
}

function scaledText(what: string, factors: Float64Array, before: number, after: number): string {
  const low = factors.reduce((a, b) => Math.min(a, b));
  const high = factors.reduce((a, b) => Math.max(a, b));
  if (low === 1 && high === 1) return "";
  const change = `${figure(before)} to ${figure(after)}`;
  return `${factors.length} ${what} scaled by ${figure(low)} to ${figure(high)}, largest range over smallest from ${change}`;
}

/** Three significant digits. */
function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}
