import { bodiesOf, type Graph, type Node } from "../ir/index.js";
import { operatorOf } from "../ops/index.js";
import type { Flow } from "./flow.js";

/**
 * Values that follow one another, each the place where all ways from the one before meet again, and each reached from it
 * past everything that multiplies matrices: a sum, a norm, a rectifier. It is what layers add to.
 */
export interface ResidualStream {
  readonly vertices: readonly number[];
  /** For each step from a vertex to the next: whether another way goes through a matrix. */
  readonly works: readonly boolean[];
}

/** Those in which at least two steps go through matrices; the longest first, and no vertex in two of them. */
export function residualStreams(graph: Graph, flow: Flow): readonly ResidualStream[] {
  const { end, meeting } = flow;
  const { carries, works } = stepsOf(graph, flow);
  // Of all ways to come to a vertex, the one with the most steps that work; of equals, the one that begins first.
  const from = new Int32Array(end + 1).fill(-1);
  const most = new Int32Array(end + 1);
  for (let vertex = 0; vertex < end; vertex += 1) {
    const to = meeting[vertex] ?? -1;
    if (to < 0 || to === end || carries[vertex] !== 1) continue;
    const count = (most[vertex] ?? 0) + (works[vertex] ?? 0);
    if (from[to] !== -1 && count <= (most[to] ?? 0)) continue;
    from[to] = vertex;
    most[to] = count;
  }
  const streams: { readonly stream: ResidualStream; readonly count: number }[] = [];
  for (let last = 0; last < end; last += 1) {
    const count = most[last] ?? 0;
    const next = meeting[last] ?? -1;
    if (count < 2 || (next >= 0 && next !== end && from[next] === last)) continue;
    const vertices = [last];
    for (let one = from[last] ?? -1; one >= 0; one = from[one] ?? -1) vertices.push(one);
    vertices.reverse();
    const flags = vertices.slice(0, -1).map((vertex) => works[vertex] === 1);
    streams.push({ stream: { vertices, works: flags }, count });
  }
  return streams.sort((a, b) => b.count - a.count).map(({ stream }) => stream);
}

/**
 * Of the step from each vertex to where its ways meet: 1 where a way carries its elements there past all matrices, and 1
 * where a way goes through one. Both look at a step's end too, and sum up over the steps to the end of the graph, so that
 * what a way through other meetings does is a difference.
 */
function stepsOf(
  graph: Graph,
  flow: Flow,
): { readonly carries: Uint8Array; readonly works: Uint8Array } {
  const { end, meeting, readers } = flow;
  const carries = new Uint8Array(end);
  const works = new Uint8Array(end);
  const stops = new Int32Array(end + 1);
  const working = new Int32Array(end + 1);
  const kinds = Array.from({ length: end }, (_, vertex) => kindOf(graph, flow.nodeAt(vertex)));
  for (let vertex = end - 1; vertex >= 0; vertex -= 1) {
    const to = meeting[vertex] ?? -1;
    if (to < 0) continue;
    for (const reader of readers[vertex] ?? []) {
      const kind = kinds[reader] ?? "carries";
      const leads = reader === end || (meeting[reader] ?? -1) >= 0;
      if (!leads) continue;
      const beyond = reader !== to;
      if (kind === "works" || (beyond && working[reader] !== working[to])) works[vertex] = 1;
      if (kind === "carries" && !(beyond && stops[reader] !== stops[to])) carries[vertex] = 1;
    }
    stops[vertex] = (stops[to] ?? 0) + (carries[vertex] === 1 ? 0 : 1);
    working[vertex] = (working[to] ?? 0) + (works[vertex] ?? 0);
  }
  return { carries, works };
}

/** What is not known, or holds a body, may do any work; integers are shapes and indices, which carry no stream. */
function kindOf(graph: Graph, node: Node | undefined): "carries" | "works" | "counts" {
  if (node === undefined) return "carries";
  const traits = operatorOf(node)?.traits;
  if (traits === undefined || traits.macs !== undefined || bodiesOf(node).length > 0)
    return "works";
  const output = node.outputs.find((id) => id !== null);
  const type = output === undefined || output === null ? undefined : graph.value(output).type;
  const dtype = type?.kind === "tensor" ? type.dtype : undefined;
  return dtype === "int64" || dtype === "bool" ? "counts" : "carries";
}
