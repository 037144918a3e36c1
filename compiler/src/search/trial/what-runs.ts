import { type ArtifactFormat, elementCount } from "@pare/runtime/format";
import { nominalMacs, nominalSizes } from "../../analysis/nominal-sizes.js";
import type { Graph, Node } from "../../ir/index.js";
import type { Pass } from "../../pipeline/pass.js";
import type { Made, State } from "../candidate.js";
import { passesIn } from "../make/precision.js";
import { isAsFast, type Relative } from "../verdict/verdict.js";

/** Of a file: what made it, and what it is. */
interface File extends Pick<Made, "groups" | "artifact"> {
  readonly written: Pick<State, "graph">;
}

/**
 * What runs of a file once it is loaded: the steps that made it, but for those that only store weights otherwise. Of two files
 * that differ in those alone an engine makes the same.
 */
export function whatRuns({ groups, artifact, written }: File): string {
  const computing = groups.filter(
    (group) => !passesIn(group).every((pass) => isDecodedOnce(pass, artifact.format)),
  );
  const tables = decodedTables(written.graph);
  return JSON.stringify([artifact.session, computing.map(({ steps }) => steps), tables]);
}

/**
 * Whether two run the same, and times leave it at that.
 * @param compared null where they were not timed
 */
export function runsAs(one: File, other: File, compared: Relative | null): boolean {
  return isAsFast(compared) && whatRuns(one) === whatRuns(other);
}

function isDecodedOnce({ decodedOnceBy }: Pass, format: ArtifactFormat): boolean {
  return decodedOnceBy === "all" || (decodedOnceBy === "modules" && format === "wasm");
}

/** About what decoding takes, in multiplications of a model's own: of a number, and of an operator, however little it does. */
const [perNumber, perOperator] = [32, 40_000];
/** Gathering scales as well, a conversion, a product. */
const operators = 3;
/** Of a model's work: less is no difference that anybody sees. */
const noticed = 0.02;

const known = new WeakMap<Graph, number>();

/** How many tables have rows that are decoded at every run, where that is not little beside all else that is computed. */
function decodedTables(graph: Graph): number {
  const before = known.get(graph);
  if (before !== undefined) return before;
  const readers = [...graph.allBodies()].flatMap((body) =>
    graph.order(body).filter((node) => isRowReader(graph, node)),
  );
  const count = readers.length > 0 && isNoticed(graph, readers) ? readers.length : 0;
  known.set(graph, count);
  return count;
}

function isRowReader(graph: Graph, { op, domain, inputs }: Node): boolean {
  const dtype = graph.constant(inputs[0] ?? null)?.dtype;
  return op === "Gather" && domain === "" && (dtype === "int8" || dtype === "uint8");
}

function isNoticed(graph: Graph, readers: readonly Node[]): boolean {
  const macs = nominalMacs(graph);
  const sizes = nominalSizes(graph);
  const numbers = readers.map(({ outputs: [id] }) =>
    elementCount((id === null || id === undefined ? null : sizes(id)) ?? []),
  );
  const work = numbers.reduce((sum, count) => sum + count * perNumber + operators * perOperator, 0);
  return macs !== null && work > noticed * macs;
}
