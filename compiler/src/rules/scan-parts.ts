import {
  bodiesOf,
  type Body,
  type Dim,
  type Graph,
  type Node,
  type ValueId,
  shapeOf,
} from "../ir/index.js";
import type { AttributeReader } from "../ops/index.js";
import { attributesOf, inputOf, madeBy } from "./pattern.js";

/** Along which axis a Scan takes a value apart, or puts one together, and whether it begins at its end. */
export interface ScanWay {
  readonly axis: number;
  readonly isBackwards: boolean;
}

/** A Scan, and what goes through it. */
export interface ScanParts {
  readonly body: Body;
  /** How many rounds it has. */
  readonly rows: Dim;
  /** Everything goes along its first axis, from the first row on. */
  readonly isForward: boolean;
  /** What the node is given: states at first, and what it goes through. */
  readonly states: readonly ValueId[];
  readonly scanned: readonly ValueId[];
  readonly scannedWays: readonly ScanWay[];
  /** What the body is given of them. */
  readonly stateInputs: readonly ValueId[];
  readonly rowInputs: readonly ValueId[];
  /** What the body gives: states, and what is kept of each row. */
  readonly nextStates: readonly ValueId[];
  readonly results: readonly ValueId[];
  readonly resultWays: readonly ScanWay[];
}

/** Undefined for one that is malformed, or of whose rows it is not known how many there are. */
export function scanParts(graph: Graph, node: Node): ScanParts | undefined {
  const attributes = attributesOf(node);
  const [body] = bodiesOf(node);
  const count = attributes.int("num_scan_inputs", 0);
  const inputs = node.inputs.flatMap((id) => id ?? []);
  if (body === undefined || count < 1 || count > inputs.length) return undefined;
  if (inputs.length !== node.inputs.length || body.inputs.length !== inputs.length)
    return undefined;
  const stateCount = inputs.length - count;
  const scanned = inputs.slice(stateCount);
  if (body.outputs.length !== node.outputs.length || stateCount > body.outputs.length)
    return undefined;
  const results = body.outputs.slice(stateCount);
  const rankOf = (id: ValueId): number | undefined => shapeOf(graph, id)?.length;
  const scannedWays = waysOf(attributes, "input", scanned.map(rankOf));
  const resultRanks = results.map((id) => {
    const rank = rankOf(id);
    return rank === undefined ? undefined : rank + 1;
  });
  const resultWays = waysOf(attributes, "output", resultRanks);
  if (scannedWays === undefined || resultWays === undefined) return undefined;
  const lengths = new Set(
    scanned.map((id, at) => shapeOf(graph, id)?.[scannedWays[at]?.axis ?? 0]),
  );
  const [rows] = lengths;
  if (lengths.size !== 1 || rows === undefined || rows === 0) return undefined;
  return {
    body,
    rows,
    isForward: [...scannedWays, ...resultWays].every((way) => way.axis === 0 && !way.isBackwards),
    states: inputs.slice(0, stateCount),
    scanned,
    scannedWays,
    stateInputs: body.inputs.slice(0, stateCount),
    rowInputs: body.inputs.slice(stateCount),
    nextStates: body.outputs.slice(0, stateCount),
    results,
    resultWays,
  };
}

/** ONNX's scan_input_axes and scan_input_directions, and those of outputs: 0 for each where there are none. */
function waysOf(
  attributes: AttributeReader,
  side: "input" | "output",
  ranks: readonly (number | undefined)[],
): readonly ScanWay[] | undefined {
  const [axes, directions] = ["axes", "directions"].map((kind) => attributes.ints(`scan_${side}_${kind}`)); // prettier-ignore
  const ways = ranks.map((rank, at): ScanWay => {
    const axis = axes?.[at] ?? 0;
    return {
      axis: axis < 0 ? axis + (rank ?? NaN) : axis,
      isBackwards: (directions?.[at] ?? 0) !== 0,
    };
  });
  const isThere = ({ axis }: ScanWay, at: number): boolean => axis >= 0 && axis < (ranks[at] ?? Infinity); // prettier-ignore
  return ways.every(isThere) ? ways : undefined;
}

/** What a value is, behind Identity. */
export function behindIdentity(graph: Graph, value: ValueId | undefined): ValueId | undefined {
  let id = value;
  for (;;) {
    const producer = madeBy(graph, id, "Identity");
    if (producer === undefined) return id;
    id = inputOf(producer, 0);
  }
}
