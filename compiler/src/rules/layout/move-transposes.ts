import {
  attribute,
  type Body,
  edit,
  type Editor,
  type Graph,
  type Node,
  type NodeId,
  shapeOf,
  Tensor,
  type ValueId,
} from "../../ir/index.js";
import { permOf } from "../reshapes.js";
import { turnedNode, type TurnedNode } from "./turned-node.js";

/**
 * Models of frameworks with channels last turn what each convolution reads and gives. What lies between two of them and
 * means the same in any order of axes is computed in the other order, where that leaves fewer Transposes: regions of such
 * nodes are moved as a whole, since a sum of two branches gains only when both come along.
 */
export function moveTransposes(graph: Graph): void {
  for (const body of Array.from(graph.allBodies())) {
    for (const perm of permsOf(graph, body))
      for (const region of regionsOf(graph, body, perm))
        if (gainOf(graph, region, perm) > 0) moveRegion(graph, region, perm);
  }
}

/** Nodes that hang together, in order, and how each is said. */
type Region = ReadonlyMap<NodeId, { readonly node: Node; readonly turned: TurnedNode }>;

/** How the body's Transposes turn, each way once. */
function permsOf(graph: Graph, body: Body): readonly (readonly number[])[] {
  const found = new Map<string, readonly number[]>();
  for (const node of graph.order(body)) {
    const perm = node.op === "Transpose" && node.domain === "" ? permOf(graph, node) : undefined;
    if (perm !== undefined && perm.length > 2) found.set(perm.join(), perm);
  }
  return [...found.values()];
}

function regionsOf(graph: Graph, body: Body, perm: readonly number[]): readonly Region[] {
  const said = new Map<NodeId, { node: Node; turned: TurnedNode; region: NodeId[] }>();
  for (const node of graph.order(body)) {
    const turned = turnedNode(graph, node, perm);
    if (turned === undefined) continue;
    const mine = { node, turned, region: [node.id] };
    said.set(node.id, mine);
    for (const input of turnedInputs(node, turned)) {
      const producer = graph.producer(input);
      const other = producer === undefined ? undefined : said.get(producer.id);
      if (other === undefined || other.region === mine.region || !other.turned.isTurned) continue;
      const [large, small] =
        other.region.length > mine.region.length ? [other, mine] : [mine, other];
      const joined = large.region;
      for (const id of small.region) {
        joined.push(id);
        const member = said.get(id);
        if (member !== undefined) member.region = joined;
      }
    }
  }
  const regions = new Map<NodeId[], Map<NodeId, { node: Node; turned: TurnedNode }>>();
  for (const [id, { node, turned, region }] of said) {
    const members = regions.get(region) ?? new Map();
    regions.set(region, members.set(id, { node, turned }));
  }
  return [...regions.values()];
}

function turnedInputs(node: Node, { inputs }: TurnedNode): readonly ValueId[] {
  return node.inputs.filter((id, at): id is ValueId => id !== null && inputs[at] === "turned");
}

/** How many Transposes fewer there are when the region is moved; what only renames axes of size 1 counts as none. */
function gainOf(graph: Graph, region: Region, perm: readonly number[]): number {
  let gain = 0;
  const isInside = (id: ValueId): boolean => {
    const producer = graph.producer(id);
    return producer !== undefined && region.has(producer.id);
  };
  const seen = new Set<ValueId>();
  for (const { node, turned } of region.values()) {
    for (const id of turnedInputs(node, turned)) {
      if (seen.has(id) || isInside(id) || isFolded(graph, id)) continue;
      seen.add(id);
      if (keepsOrder(graph, id, perm)) continue;
      if (sourceOf(graph, id, perm) === undefined) gain -= 1;
      else if (readersOutside(graph, region, id) === 0) gain += 1;
    }
    if (!turned.isTurned) continue;
    for (const id of node.outputs) {
      if (id === null || keepsOrder(graph, id, perm)) continue;
      const back = readersBack(graph, id, perm).length;
      const outside = readersOutside(graph, region, id);
      if (back > 0) gain += 1;
      if (outside > back) gain -= 1;
    }
  }
  return gain;
}

/** Whether a value is a constant, or will be: an earlier move leaves Transposes of constants to be folded. */
function isFolded(graph: Graph, id: ValueId): boolean {
  for (let from: ValueId | null | undefined = id; from !== null && from !== undefined;) {
    if (graph.constant(from) !== undefined) return true;
    const node = graph.producer(from);
    const isTurn = node?.domain === "" && (node.op === "Transpose" || node.op === "Reshape");
    from = isTurn ? node.inputs[0] : undefined;
  }
  return false;
}

/** What a value is the Transpose of, by these axes. */
function sourceOf(graph: Graph, id: ValueId, perm: readonly number[]): ValueId | undefined {
  const node = graph.producer(id);
  if (node?.op !== "Transpose" || node.domain !== "") return undefined;
  const isSame = permOf(graph, node)?.join() === perm.join();
  return isSame ? (node.inputs[0] ?? undefined) : undefined;
}

/** The Transposes of a value that turn it back. */
function readersBack(graph: Graph, id: ValueId, perm: readonly number[]): readonly Node[] {
  const back = inverse(perm).join();
  return Array.from(graph.consumers(id)).filter(
    (node) => node.op === "Transpose" && node.domain === "" && permOf(graph, node)?.join() === back,
  );
}

function readersOutside(graph: Graph, region: Region, id: ValueId): number {
  let count = 0;
  for (const use of graph.value(id).uses)
    if (use.kind === "output" || !region.has(use.node)) count += 1;
  return count;
}

/** Elements lie as they did where only axes of size 1 change places: such a turn costs nothing. */
function keepsOrder(graph: Graph, id: ValueId, perm: readonly number[]): boolean {
  const shape = shapeOf(graph, id);
  const back = inverse(perm).filter((axis) => shape?.[axis] !== 1);
  return back.every((axis, at) => at === 0 || axis > (back[at - 1] ?? 0));
}

function inverse(perm: readonly number[]): readonly number[] {
  return perm.map((_, axis) => perm.indexOf(axis));
}

function moveRegion(graph: Graph, region: Region, perm: readonly number[]): void {
  const back = inverse(perm);
  const moved = new Map<ValueId, ValueId>();
  const sources = new Set<ValueId>();
  edit(graph, "move-transposes", (editor) => {
    for (const { node, turned } of region.values()) {
      const inputs = node.inputs.map((id, at) => {
        const how = turned.inputs[at];
        if (how instanceof Tensor) return editor.constant("moved", how, graph.body(node.body));
        return id === null || how === "kept" ? id : turnedValue(editor, node, id, how === "turned");
      });
      const attributes = { ...Object.fromEntries(node.attributes), ...turned.attributes };
      const body = graph.body(node.body);
      const options = { body, name: node.name, outputs: node.outputs.length };
      const made = editor.add(node.op, inputs, attributes, options);
      for (const [at, id] of node.outputs.entries()) {
        const own = made[at];
        if (id === null || own === undefined) continue;
        moved.set(id, own);
        if (turned.isTurned) cancel(editor, readersBack(graph, id, perm), own);
        if (readersOutside(graph, region, id) === 0) continue;
        const perms = { perm: attribute.ints(perm) };
        const by = turned.isTurned ? editor.add1("Transpose", [own], perms, { body }) : own;
        editor.replace(id, by, "its axes come in the order of what it is computed from");
      }
    }
    for (const { node } of [...region.values()].reverse()) editor.remove(node.id);
    for (const id of sources) {
      const producer = graph.producer(id);
      if (producer !== undefined && graph.value(id).uses.length === 0) editor.remove(producer.id);
    }
  });

  function turnedValue(editor: Editor, node: Node, id: ValueId, isWhole: boolean): ValueId {
    const source = sourceOf(graph, id, perm);
    if (source !== undefined) sources.add(id);
    const known = moved.get(id) ?? source;
    if (known !== undefined) return known;
    const body = graph.body(node.body);
    const dims = graph.constant(id)?.dims ?? [];
    const sizes = Tensor.int64([...Array<number>(perm.length - dims.length).fill(1), ...dims]);
    const whole = isWhole
      ? id
      : editor.add1("Reshape", [id, editor.constant("sizes", sizes, body)], {}, { body });
    const made = editor.add1("Transpose", [whole], { perm: attribute.ints(back) }, { body });
    if (isWhole) moved.set(id, made);
    return made;
  }
}

/** At once, not by a later rule: a pair of Transposes that is still there counts as one to gain by moving back. */
function cancel(editor: Editor, readers: readonly Node[], own: ValueId): void {
  for (const { id, outputs } of readers) {
    for (const output of outputs)
      if (output !== null) editor.replace(output, own, "it is turned and turned back");
    editor.remove(id);
  }
}
