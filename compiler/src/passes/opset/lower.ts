import { PareError } from "@pare/runtime/format";
import {
  edit,
  bodiesOf,
  type Body,
  type Graph,
  type Node,
  sameType,
  type ValueId,
  type ValueType,
  normalOpset,
} from "../../ir/index.js";
import type { Adapter } from "./adapter.js";
import { widenedAt } from "./dtype-history.js";
import { introduced } from "./introduced.js";
import { attributeLowerings } from "./lower-attributes.js";
import { inputLowerings } from "./lower-inputs.js";
import { operatorLowerings } from "./lower-operators.js";
import { stepOf } from "./step.js";

/** The oldest opset that can be written. */
export const lowestOpset = 7;

const adapters: readonly Adapter[] = [
  ...operatorLowerings,
  ...attributeLowerings,
  ...inputLowerings,
];

/** The format version that came with an opset, so that old readers take the file too. */
const irVersions: readonly (readonly [opset: number, ir: bigint])[] = [
  [21, 10n],
  [19, 9n],
  [15, 8n],
  [12, 7n],
  [11, 6n],
  [10, 5n],
  [0, 4n],
];

/**
 * Says a graph at opset 21 in an older opset, version by version from the newest, each node with the adapters that
 * undo what a version changed.
 * @throws PareError UNSUPPORTED_OP naming the node that an older opset has no words for
 */
export function lowerOpset(graph: Graph, opset: number): void {
  if (opset < normalOpset) refuseFunctions(graph, opset);
  const types = new Map([...graph.allValues()].map((value) => [value.id, value.type]));
  for (let version = normalOpset; version > opset; version -= 1) {
    const changed = adapters.filter((adapter) => adapter.to === version);
    const visit = (body: Body): void => {
      for (const node of graph.order(body)) {
        if (!graph.hasNode(node.id)) continue;
        bodiesOf(node).forEach(visit);
        lowerNode(graph, node, changed, version, types);
      }
    };
    visit(graph.main);
  }
  restoreTypes(graph, types);
  edit(graph, "lower-opset", (editor) => {
    editor.setOpset("", opset);
    editor.setHeader({ irVersion: irVersions.find(([from]) => opset >= from)?.[1] ?? 4n });
  });
}

/** What a model's own functions hold is not looked at here. @throws PareError UNSUPPORTED_OP naming one */
function refuseFunctions({ header }: Graph, opset: number): void {
  const [key] = header.functions.keys();
  if (key === undefined) return;
  const name = key.split("::", 2).join(".");
  throw new PareError(
    "UNSUPPORTED_OP",
    `${name} is a function of the model, written for opset ${normalOpset}, and cannot be said in opset ${opset}.`,
    {
      where: name,
      hint: `Export the model without it, or ask for opset ${normalOpset}.`,
    },
  );
}

/**
 * Inference speaks opset 21 and misreads what was lowered (a Squeeze whose axes are an attribute): in order of
 * execution, each value gets back the type that it had.
 */
function restoreTypes(graph: Graph, types: ReadonlyMap<ValueId, ValueType>): void {
  const visit = (body: Body): void => {
    for (const node of graph.order(body)) {
      bodiesOf(node).forEach(visit);
      for (const id of node.outputs) {
        const type = id === null ? undefined : types.get(id);
        if (id === null || type === undefined || sameType(type, graph.value(id).type)) continue;
        edit(graph, "lower-opset", (editor) => editor.setType(id, type), { interface: true });
      }
    }
  };
  visit(graph.main);
}

function lowerNode(
  graph: Graph,
  node: Node,
  changed: readonly Adapter[],
  version: number,
  types: ReadonlyMap<ValueId, ValueType>,
): void {
  if (node.domain !== "") return;
  for (const adapter of changed) {
    if (!graph.hasNode(node.id) || graph.node(node.id).op !== adapter.op) continue;
    edit(
      graph,
      `opset-${version - 1}`,
      (editor) => adapter.convert(stepOf(graph, editor, node.id, version, version - 1, types)),
      { interface: true },
    );
  }
  if (!graph.hasNode(node.id)) return;
  const { op, inputs } = graph.node(node.id);
  const hint = `Ask for opset ${version} or later.`;
  const where = graph.nodeLabel(node);
  const [first] = inputs;
  const type =
    first === undefined || first === null
      ? undefined
      : (types.get(first) ?? graph.value(first).type);
  if (type?.kind === "tensor" && type.dtype !== undefined && widenedAt(version, op, type.dtype)) {
    throw new PareError("UNSUPPORTED_OP", `${op} takes ${type.dtype} from opset ${version} on.`, {
      where,
      hint,
    });
  }
  if (introduced[op] === version) {
    throw new PareError(
      "UNSUPPORTED_OP",
      `${op} came with opset ${version} and has no equal in opset ${version - 1}.`,
      { where, hint },
    );
  }
}
