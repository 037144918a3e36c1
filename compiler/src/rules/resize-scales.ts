import { type Graph, type Node, shapeOf } from "../ir/index.js";
import { attributesOf, inputOf, numbersOf, outputOf } from "./pattern.js";

/** What a Resize multiplies sizes with, by axis; from sizes where those or axes are given, and NaN where these are not known. */
export function scalesOf(graph: Graph, resize: Node): readonly number[] | undefined {
  if (inputOf(resize, 3) === undefined && attributesOf(resize).ints("axes") === undefined)
    return numbersOf(graph, inputOf(resize, 2));
  const [from, to] = [shapeOf(graph, inputOf(resize, 0)), shapeOf(graph, outputOf(resize))];
  return from?.map((size, axis) => (size === to?.[axis] ? 1 : Number(to?.[axis]) / Number(size)));
}
