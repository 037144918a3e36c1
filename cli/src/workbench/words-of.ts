import type { Graph } from "@pare/compiler";

/** Lists of what a model is told in text: categories, keys of a table, the terms of a vocabulary. */
const lists = /^(cats_strings|keys_strings|pool_strings|string_vocabulary)$/;
const [mostWords, mostLength] = [256, 64];

/** Words that a model knows, so that made-up text says something to it; undefined where it knows none. */
export function wordsOf(graph: Graph): readonly string[] | undefined {
  const words = new Set<string>();
  for (const { attributes } of graph.allNodes())
    for (const [name, attribute] of attributes) {
      if (attribute.type !== "strings" || !lists.test(name)) continue;
      for (const word of attribute.value.slice(0, mostWords))
        if (typeof word === "string" && word.length <= mostLength) words.add(word);
    }
  return words.size > 0 ? [...words].slice(0, mostWords) : undefined;
}
