import type { Graph, ValueId } from "@pare/compiler";
import type { GoldenChoice } from "@pare/runtime/format";

/** What a model can make something of, where inputs are made up. */
export interface Noise {
  /** What text is put together of; undefined where the model knows no words. */
  readonly words: readonly string[] | undefined;
  /** By input, those that an engine takes numbers of one range for alone. */
  readonly ranges: ReadonlyMap<string, readonly [number, number]>;
}

export function noiseOf(graph: Graph): Noise {
  return { words: wordsOf(graph), ranges: rangesOf(graph) };
}

/** How one input is made up. */
export function choiceOf(noise: Noise | undefined, input: string): GoldenChoice {
  const { words, ranges } = noise ?? {};
  const range = ranges?.get(input);
  return { ...(words && { words }), ...(range && { range }) };
}

/** Lists of what a model is told in text: categories, keys of a table, the terms of a vocabulary. */
const lists = /^(cats_strings|keys_strings|pool_strings|string_vocabulary)$/;
const [mostWords, mostLength] = [256, 64];

function wordsOf(graph: Graph): readonly string[] | undefined {
  const words = new Set<string>();
  for (const { attributes } of graph.allNodes())
    for (const [name, attribute] of attributes) {
      if (attribute.type !== "strings" || !lists.test(name)) continue;
      for (const word of attribute.value.slice(0, mostWords))
        if (typeof word === "string" && word.length <= mostLength) words.add(word);
    }
  return words.size > 0 ? [...words].slice(0, mostWords) : undefined;
}

/** What operators ask of an input, by its position; what engines refuse is said last, and counts. */
const asked: ReadonlyMap<string, readonly (readonly [number, readonly [number, number]])[]> =
  new Map([
    // Boxes per class, and by how much two may overlap: https://onnx.ai/onnx/operators/onnx__NonMaxSuppression.html
    ["NonMaxSuppression", [[2, [1, 20]], [4, [0, 1]], [3, [0, 1]]]], // prettier-ignore
    ["Resize", [[2, [1, 2]]]],
  ]);
/** What is farther from an input is no longer what a user gives. */
const mostFollowed = 16;
/** Between an input and who asks something of it. */
const passes = new Set(["Cast", "Gather", "Identity", "Reshape", "Slice", "Split", "Squeeze", "Unsqueeze"]); // prettier-ignore

function rangesOf(graph: Graph): ReadonlyMap<string, readonly [number, number]> {
  const ranges = new Map<string, readonly [number, number]>();
  for (const node of graph.allNodes())
    for (const [at, range] of (node.domain === "" ? asked.get(node.op) : undefined) ?? []) {
      const input = inputBehind(graph, node.inputs[at]);
      if (input !== undefined) ranges.set(input, range);
    }
  return ranges;
}

function inputBehind(graph: Graph, value: ValueId | null | undefined): string | undefined {
  let id = value;
  for (let passed = 0; passed < mostFollowed && id !== null && id !== undefined; passed += 1) {
    const { isInput, name, body } = graph.value(id);
    if (isInput) return body === graph.main.id ? name : undefined;
    const maker = graph.producer(id);
    id = maker !== undefined && passes.has(maker.op) ? maker.inputs[0] : undefined;
  }
  return undefined;
}
