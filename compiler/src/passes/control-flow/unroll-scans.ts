import {
  attribute,
  bodiesOf,
  edit,
  type Editor,
  type Graph,
  type Node,
  type NodeId,
  Tensor,
  type ValueId,
} from "../../ir/index.js";
import { BodyCopy } from "../../rules/body-copy.js";
import { type ScanParts, scanParts } from "../../rules/scan-parts.js";

const rule = "unroll-scans";
/** Of all loops together: a module calls a kernel for each of them. */
const mostNodes = 8192;

/**
 * Writes the rows of a Scan one after the other, for who has no loops: as far as that is not too many nodes.
 * @returns why others stay
 */
export function unrollScans(graph: Graph): ReadonlyMap<NodeId, string> {
  const left = new Map<NodeId, string>();
  let nodes = 0;
  const scans = [...graph.allNodes()].filter(({ op, domain }) => op === "Scan" && domain === "");
  for (const node of scans) {
    const parts = scanParts(graph, node);
    const rows = parts?.rows;
    if (parts === undefined || typeof rows !== "number")
      left.set(node.id, "how many rows it goes through is not known");
    else if (graph.order(parts.body).some((one) => bodiesOf(one).length > 0))
      left.set(node.id, "there are loops or branches in it");
    else if (nodes + rows * (1 + graph.order(parts.body).length) > mostNodes)
      left.set(node.id, `written out, loops are more than ${mostNodes} nodes`);
    else {
      nodes += rows * (1 + graph.order(parts.body).length);
      edit(graph, rule, (editor) => unroll(graph, editor, node, parts, rows));
    }
  }
  return left;
}

function unroll(graph: Graph, editor: Editor, node: Node, parts: ScanParts, rows: number): void {
  const into = graph.body(node.body);
  let states = parts.states;
  const results: ValueId[][] = parts.results.map(() => []);
  const axes = parts.resultWays.map(({ axis }) => editor.constant("axes", Tensor.int64([axis]), into)); // prettier-ignore
  const copy = new BodyCopy(graph, editor, parts.body, into);
  for (let row = 0; row < rows; row += 1) {
    const placeOf = (isBackwards: boolean): ValueId => {
      const place = isBackwards ? rows - 1 - row : row;
      return editor.constant("row", Tensor.int64([place], []), into);
    };
    for (const [at, id] of parts.stateInputs.entries()) {
      const own = states[at];
      if (own !== undefined) copy.set(id, own);
    }
    for (const [at, id] of parts.rowInputs.entries()) {
      const scanned = parts.scanned[at] ?? null;
      const { axis = 0, isBackwards = false } = parts.scannedWays[at] ?? {};
      const along = { axis: attribute.int(axis) };
      copy.set(id, editor.add1("Gather", [scanned, placeOf(isBackwards)], along, { body: into }));
    }
    for (const one of graph.order(parts.body)) copy.copy(one, `_${row}`);
    states = parts.nextStates.map((id) => copy.of(id));
    for (const [at, id] of parts.results.entries())
      results[at]?.push(editor.add1("Unsqueeze", [copy.of(id), axes[at] ?? null], {}, { body: into })); // prettier-ignore
  }
  const joined = results.map((all, at) => {
    const { axis = 0, isBackwards = false } = parts.resultWays[at] ?? {};
    const inOrder = isBackwards ? all.toReversed() : all;
    return editor.add1("Concat", inOrder, { axis: attribute.int(axis) }, { body: into });
  });
  for (const [index, output] of node.outputs.entries()) {
    const by = [...states, ...joined][index];
    if (output !== null && by !== undefined)
      editor.replace(output, by, `its ${rows} rows are written one after the other`);
  }
}
