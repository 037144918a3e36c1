import { visibleLine } from "@pare/runtime/format";
import { edit, type Editor, type Graph, type Node, type ValueId } from "../ir/index.js";
import { keyOf } from "../ops/index.js";

/** Of more classes only so many are named. */
const mostNamed = 10;

/**
 * No engine in JavaScript gives maps or sequences back, and a run that asks for them fails. ZipMap makes a map of classes to
 * scores for every sample: the output is the scores themselves then, under its name, a column a class. Of a sequence that is
 * made of tensors each becomes an output of its own, with its number behind the name.
 * @returns a sentence for each such output
 */
export function outputsToTensors(graph: Graph): readonly string[] {
  const given = graph.main.outputs.filter((output) => tensorsOf(graph, output) !== undefined);
  if (given.length === 0) return [];
  const said: string[] = [];
  edit(
    graph,
    "outputs-to-tensors",
    (editor) => {
      for (const output of given) said.push(visibleLine(sayTensors(graph, editor, output)));
    },
    { interface: true },
  );
  return said;
}

/** What an output that is no tensor is made of; undefined where it is one, or nothing is known of it. */
function tensorsOf(graph: Graph, output: ValueId): readonly ValueId[] | undefined {
  const node = graph.producer(output);
  if (node === undefined) return undefined;
  const tensors = node.inputs.flatMap((input) => input ?? []);
  switch (keyOf(node)) {
    case "ai.onnx.ml::ZipMap":
      return tensors.slice(0, 1);
    case "SequenceConstruct":
      return tensors.every((one) => graph.value(one).type.kind === "tensor") ? tensors : undefined;
    default:
      return undefined;
  }
}

function sayTensors(graph: Graph, editor: Editor, output: ValueId): string {
  const { name } = graph.value(output);
  const node = graph.producer(output);
  const tensors = tensorsOf(graph, output) ?? [];
  const [first] = tensors;
  if (node?.op === "ZipMap" && first !== undefined) {
    editor.replace(output, first, "no engine in JavaScript gives maps back");
    return `${name} is a map for every sample, which engines in JavaScript do not give: it is written as its scores, a column a class (${classesOf(node)}).`;
  }
  const taken = new Set([...graph.main.inputs, ...graph.main.outputs].map((id) => graph.value(id).name)); // prettier-ignore
  const names = tensors.map((_, at) => {
    let own = `${name}_${at}`;
    while (taken.has(own)) own += "_";
    taken.add(own);
    return own;
  });
  editor.removeOutput(graph.main.outputs.indexOf(output));
  for (const [at, tensor] of tensors.entries())
    editor.addOutput(editor.add1("Identity", [tensor], {}, { outputs: names.slice(at, at + 1) }));
  return `${name} is a sequence, which engines in JavaScript do not give: its tensors are outputs of their own (${named(names)}).`;
}

function classesOf({ attributes }: Node): string {
  const [numbers, texts] = ["classlabels_int64s", "classlabels_strings"].map((name) =>
    attributes.get(name),
  );
  const names =
    texts?.type === "strings"
      ? texts.value.filter((text) => typeof text === "string")
      : numbers?.type === "ints"
        ? numbers.value.map(String)
        : [];
  return named(names);
}

function named(names: readonly string[]): string {
  const more = names.length > mostNamed ? ", …" : "";
  return `${names.slice(0, mostNamed).join(", ")}${more}`;
}
