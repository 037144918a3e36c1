import {
  attribute,
  edit,
  type Graph,
  type Node,
  tensorType,
  type ValueId,
} from "../../ir/index.js";
import { attributeReader, keyOf, operatorOf } from "../../ops/index.js";

/** Of all tables together: whoever runs the model looks each text up in them. */
const mostWords = 2 ** 16;

/** What asks a text for its place in a list of its own, by the attribute that holds the list, and as integers. */
const readers: ReadonlyMap<string, readonly [texts: string, integers: string]> = new Map([
  ["ai.onnx.ml::LabelEncoder", ["keys_strings", "keys_int64s"]],
  ["ai.onnx.ml::OneHotEncoder", ["cats_strings", "cats_int64s"]],
]);

/**
 * Where texts that a model takes are only looked up, each becomes at once its place in a list of all words that the model
 * knows, and what follows looks up places. A text that it does not know is at −1.
 */
export function sayTexts(graph: Graph): void {
  const inputs = graph.main.inputs.filter((id) => isText(graph, id));
  const found = inputs.length === 0 ? undefined : lookedUp(graph, inputs);
  if (found === undefined) return;
  const words = [...new Set(found.tables.flatMap(({ words: own }) => own))];
  if (words.length === 0 || words.length > mostWords) return;
  const places = new Map(words.map((word, at) => [word, at]));
  edit(
    graph,
    "say-texts",
    (editor) => {
      for (const { node, words: own } of found.tables) {
        const [texts, integers] = readers.get(keyOf(node)) ?? ["", ""];
        editor.setAttribute(node.id, texts, undefined);
        editor.setAttribute(node.id, integers, attribute.ints(own.map((word) => places.get(word) ?? -1))); // prettier-ignore
      }
      const table = {
        keys_strings: { type: "strings", value: words },
        values_int64s: attribute.ints([...places.values()]),
        default_int64: attribute.int(-1),
      } as const;
      for (const id of found.texts) {
        const { type } = graph.value(id);
        if (!inputs.includes(id) && type.kind === "tensor")
          editor.setType(id, tensorType("int64", type.shape));
      }
      for (const id of inputs) {
        const own = new Set(graph.consumers(id));
        const place = editor.add1("LabelEncoder", [id], table, { domain: "ai.onnx.ml" });
        for (const node of own)
          for (const [at, input] of node.inputs.entries())
            if (input === id) editor.setInput(node.id, at, place);
      }
    },
    { interface: true },
  );
}

interface LookedUp {
  /** Values that are text, inputs and what is moved of them. */
  readonly texts: ReadonlySet<ValueId>;
  readonly tables: readonly { readonly node: Node; readonly words: readonly string[] }[];
}

/** All that becomes of texts; undefined where anything but a look-up does. */
function lookedUp(graph: Graph, inputs: readonly ValueId[]): LookedUp | undefined {
  const texts = new Set(inputs);
  const tables: { node: Node; words: readonly string[] }[] = [];
  for (const node of graph.order()) {
    const taken = node.inputs.filter((id) => id !== null && texts.has(id));
    if (taken.length === 0) continue;
    const words = wordsOf(node);
    if (words !== undefined) tables.push({ node, words });
    else if (!moves(graph, node, texts)) return undefined;
    else for (const id of node.outputs) if (id !== null) texts.add(id);
  }
  const isGiven = graph.main.outputs.some((id) => texts.has(id));
  const isInBranch = [...texts].some((id) =>
    [...graph.consumers(id)].some(({ body }) => body !== graph.main.id),
  );
  return isGiven || isInBranch ? undefined : { texts, tables };
}

/** A reader's own list; undefined for any other node, and where what it gives is text. */
function wordsOf(node: Node): readonly string[] | undefined {
  const [name = ""] = readers.get(keyOf(node)) ?? [];
  const attributes = attributeReader(node.attributes);
  const list = attributes.get(name);
  if (list?.type !== "strings" || attributes.has("values_strings")) return undefined;
  const words = list.value.filter((word) => typeof word === "string");
  return words.length === list.value.length ? words : undefined;
}

/** Are its results elements of texts that it is given, unchanged? */
function moves(graph: Graph, node: Node, texts: ReadonlySet<ValueId>): boolean {
  const movement = operatorOf(node)?.traits.dataMovement;
  if (movement === "joins") return node.op === "Concat" && node.inputs.every((id) => id !== null && texts.has(id)); // prettier-ignore
  const isMoved =
    movement === "copies" ||
    movement === "reshapes" ||
    movement === "permutes" ||
    movement === "selects" ||
    keyOf(node) === "ai.onnx.ml::ArrayFeatureExtractor";
  return isMoved && node.outputs.every((id) => id === null || isText(graph, id));
}

function isText(graph: Graph, id: ValueId): boolean {
  const { type, constant } = graph.value(id);
  return constant === undefined && type.kind === "tensor" && type.dtype === "string";
}
