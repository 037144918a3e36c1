import { dtypeBytes, elementCount } from "@pare/runtime/format";
import type { Graph, ValueId } from "../ir/index.js";
import type { Path } from "./path.js";

/** As many parts as are looked at: beyond, the values that are kept weigh more than a part. */
const mostParts = 64;

/** From where to where on the path a value is read. */
interface Span {
  readonly born: number;
  readonly last: number;
  readonly bytes: number;
}

/**
 * Where to cut a path in parts that are computed again one by one, so that the least memory does: what crosses the cuts is
 * kept all the time, of what lies between them one part's at a time. Parts of about the same size are tried in all numbers
 * up to 64, each cut where the fewest bytes cross within half a part, and the number with the smallest sum is taken (Chen
 * et al., Training Deep Nets with Sublinear Memory Cost, arXiv:1604.06174, algorithm 3; √n parts where all are alike).
 *
 * @returns a value that is made right before each cut: see `DifferentiateOptions.checkpoints`. Empty where no cut helps.
 */
export function chooseCheckpoints(graph: Graph, path: Path): readonly ValueId[] {
  const spans = spansOf(graph, path);
  const made = new Float64Array(path.nodes.length);
  const crossing = new Float64Array(path.nodes.length + 1);
  for (const { born, last, bytes } of spans) {
    made[born] = (made[born] ?? 0) + bytes;
    crossing[born] = (crossing[born] ?? 0) + bytes;
    crossing[last] = (crossing[last] ?? 0) - bytes;
  }
  for (let at = 1; at < crossing.length; at += 1)
    crossing[at] = (crossing[at] ?? 0) + (crossing[at - 1] ?? 0);
  const whole = made.reduce((sum, bytes) => sum + bytes, 0);
  const closes = placesThatClose(path);
  let best: { readonly cuts: readonly number[]; readonly bytes: number } = {
    cuts: [],
    bytes: whole,
  };
  for (let parts = 2; parts <= Math.min(mostParts, path.nodes.length); parts += 1) {
    const cuts = cutsOf(made, crossing, closes, whole / parts);
    const bytes = peakOf(spans, made, cuts);
    if (bytes < best.bytes) best = { cuts, bytes };
  }
  return best.cuts.flatMap((at) => {
    const [value = null] = path.nodes[at]?.outputs ?? [];
    return value === null ? [] : [value];
  });
}

function spansOf(graph: Graph, { nodes, varies }: Path): readonly Span[] {
  const last = new Map<ValueId, number>();
  for (const [at, { inputs }] of nodes.entries())
    for (const input of inputs) if (input !== null) last.set(input, at);
  return nodes.flatMap(({ outputs }, born) =>
    outputs.flatMap((value): readonly Span[] => {
      if (value === null || !varies.has(value)) return [];
      return [{ born, last: last.get(value) ?? born, bytes: bytesOf(graph, value) }];
    }),
  );
}

function bytesOf(graph: Graph, value: ValueId): number {
  const { type } = graph.value(value);
  if (type.kind !== "tensor" || type.dtype === undefined) return 0;
  return dtypeBytes(type.dtype, elementCount((type.shape ?? []).map(Number)));
}

/** Behind which nodes a part can end: a cut is named by what the node before it makes first. */
function placesThatClose({ nodes, varies }: Path): readonly boolean[] {
  return nodes.map(({ outputs: [value = null] }, at) => {
    return at < nodes.length - 1 && value !== null && varies.has(value);
  });
}

/** Behind which nodes parts of about so many bytes end. */
function cutsOf(
  made: Float64Array,
  crossing: Float64Array,
  closes: readonly boolean[],
  size: number,
): readonly number[] {
  const cuts: number[] = [];
  let sum = 0;
  let cheapest: number | null = null;
  let behind = 0;
  for (const [at, bytes] of made.entries()) {
    sum += bytes;
    behind += bytes;
    if (closes[at] === true && sum >= size / 2) {
      const isCheaper =
        cheapest === null ||
        (crossing[at] ?? 0) <= (crossing[cheapest] ?? Number.POSITIVE_INFINITY);
      if (isCheaper) {
        cheapest = at;
        behind = 0;
      }
    }
    if (sum < size || cheapest === null) continue;
    cuts.push(cheapest);
    sum = behind;
    cheapest = null;
    behind = 0;
  }
  return cuts;
}

/** What crosses any of the cuts, and the largest part besides. */
function peakOf(spans: readonly Span[], made: Float64Array, cuts: readonly number[]): number {
  const parts = new Float64Array(cuts.length + 1);
  const partAt = new Uint16Array(made.length);
  let part = 0;
  for (let at = 0; at < made.length; at += 1) {
    partAt[at] = part;
    parts[part] = (parts[part] ?? 0) + (made[at] ?? 0);
    if (cuts[part] === at) part += 1;
  }
  const kept = spans.reduce(
    (sum, { born, last, bytes }) => (partAt[born] === partAt[last] ? sum : sum + bytes),
    0,
  );
  return kept + Math.max(...parts);
}
