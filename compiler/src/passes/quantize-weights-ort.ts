import {
  edit,
  attribute,
  type Editor,
  type Graph,
  type Node,
  shapeOf,
  Tensor,
  type ValueId,
} from "../ir/index.js";
import { boolean, oneOf } from "../pipeline/kinds.js";
import { option, type OptionsOf } from "../pipeline/options.js";
import { definePass } from "../pipeline/pass.js";
import { defaultsToInitializers } from "./defaults-to-initializers.js";
import { dropUnusedInitializers } from "./drop-unused.js";
import { type Blocks, blocksOfColumns } from "./ort-compat/blocks-of-columns.js";
import { allFinite } from "./quantization/finite.js";

const described = {
  bits: option(oneOf([4, 8, 2]), 4, "Of a weight."),
  blockSize: option(oneOf([16, 32, 64, 128, 256]), 128, "Weights of a column that share a scale."),
  symmetric: option(boolean, false, "Without zero points."),
};

type Options = OptionsOf<typeof described>;

export const quantizeWeightsOrt = definePass({
  name: "quantize-weights-ort",
  summary:
    "what onnxruntime's MatMulNBitsQuantizer writes (1.31.1): MatMulNBits of com.microsoft, by the same names and bytes",
  options: described,
  endsFile: true,
  create: (options) => ({
    exactness: "lossy",
    precision: `int${options.bits}-weights`,
    run: (graph) => run(graph, options),
  }),
});

interface Prepared {
  readonly node: Node;
  readonly weight: ValueId;
  readonly dims: readonly [rows: number, columns: number];
  readonly blocks: Blocks;
}

async function run(graph: Graph, options: Options): Promise<void> {
  defaultsToInitializers(graph);
  const prepared: Prepared[] = [];
  const known = new Map<ValueId, Blocks>();
  for (const node of graph.allNodes()) {
    if (node.op !== "MatMul" || node.domain !== "") continue;
    const [activation, weight = null] = node.inputs;
    const tensor = graph.constant(weight);
    if (tensor === undefined || weight === null) {
      graph.leave("quantize-weights-ort", node, "its second operand is computed");
      continue;
    }
    const why = reasonAgainst(tensor, shapeOf(graph, activation)?.length);
    if (why !== null) {
      graph.leave("quantize-weights-ort", node, why);
      continue;
    }
    const [rows = 0, columns = 0] = tensor.dims.slice(-2);
    const values = await tensor.readFloat32();
    if (!allFinite(values)) {
      graph.leave("quantize-weights-ort", node, "its weights are not all finite");
      continue;
    }
    const blocks = known.get(weight) ?? blocksOfColumns(values, rows, columns, options);
    known.set(weight, blocks);
    prepared.push({ node, weight, dims: [rows, columns], blocks });
  }
  edit(graph, "quantize-weights-ort", (editor) => insert(graph, editor, prepared, options));
  dropUnusedInitializers(graph);
}

function insert(
  graph: Graph,
  editor: Editor,
  prepared: readonly Prepared[],
  { bits, blockSize }: Options,
): void {
  const stored = new Map<Blocks, readonly ValueId[]>();
  const ending = `_Q${bits}`;
  for (const { node, weight, dims, blocks } of prepared) {
    const inputs = stored.get(blocks) ?? addBlocks(graph.value(weight).name, dims, blocks);
    stored.set(blocks, inputs);
    const [rows, columns] = dims;
    const [output] = node.outputs;
    const [activation = null] = node.inputs;
    if (output === null || output === undefined) continue;
    const { name } = graph.value(output);
    const product = editor.add1(
      "MatMulNBits",
      [activation, ...inputs],
      {
        K: attribute.int(rows),
        N: attribute.int(columns),
        bits: attribute.int(bits),
        block_size: attribute.int(blockSize),
      },
      {
        domain: "com.microsoft",
        name: node.name === "" ? "" : `${node.name}${ending}`,
        outputs: [name],
        body: graph.body(node.body),
      },
    );
    editor.replace(output, product, `${bits}-bit weights in blocks of ${blockSize}`);
  }
  editor.setOpset("com.microsoft", 1);

  function addBlocks(
    name: string,
    [, columns]: Prepared["dims"],
    { data, scales, zeroPoints }: Blocks,
  ): readonly ValueId[] {
    const count = scales.length / columns;
    const add = (suffix: string, tensor: Tensor): ValueId =>
      editor.constant(`${name}${suffix}`, tensor);
    const dims = [columns, count, (blockSize * bits) / 8];
    return [
      add(ending, Tensor.of("uint8", dims, data)),
      add("_scales", Tensor.float32([columns, count], scales)),
      ...(zeroPoints === undefined
        ? []
        : [
            add(
              "_zero_points",
              Tensor.of("uint8", [columns, zeroPoints.length / columns], zeroPoints),
            ),
          ]),
    ];
  }
}

/** Axes of one before a matrix's own say nothing, unless the result has them from there. */
function reasonAgainst({ dtype, dims }: Tensor, rank: number | undefined): string | null {
  if (dtype !== "float32") return `its weights are ${dtype}`;
  if (dims.length < 2 || dims.slice(0, -2).some((length) => length !== 1))
    return "its weights are not a matrix";
  if (dims.length > 2 && (rank === undefined || rank < dims.length))
    return "its weights have more axes than what they multiply";
  return null;
}
