import { PareError } from "@pare/runtime/format";
import { edit, bodiesOf, type Body, type Graph, type Node, type NodeId } from "../ir/index.js";
import { eventLoopTurns } from "../pipeline/event-loop-turns.js";
import type { PassContext } from "../pipeline/pass.js";
import type { Rule } from "./rule.js";

/** A rewrite makes a graph smaller or its operators cheaper, so sweeps end; this only bounds a mistake. */
const sweepLimit = 64;

/** What the rewrites of a graph may compute: about five seconds, or as long as its own constants justify. */
const leastWork = 5e8;
const workPerElement = 64;

/** Applies rules in canonical order, body by body, until none applies. Misses go to the journal at the end. */
export async function runRules(
  graph: Graph,
  rules: readonly Rule[],
  context: PassContext,
): Promise<void> {
  const byOp = rulesByOp(rules);
  const turn = eventLoopTurns(context.signal);
  let workLeft = Math.max(leastWork, workPerElement * constantElements(graph));
  const misses = new Map<NodeId, Map<string, string>>();
  for (let sweep = 0; sweep < sweepLimit; sweep += 1) {
    const before = graph.changes;
    misses.clear();
    await visit(graph.main);
    if (graph.changes === before) break;
  }
  for (const [id, reasons] of misses) {
    if (!graph.hasNode(id)) continue;
    for (const [rule, reason] of reasons) graph.leave(rule, graph.node(id), reason);
  }

  async function visit(body: Body): Promise<void> {
    for (const node of graph.order(body)) {
      if (!graph.hasNode(node.id)) continue;
      await turn();
      for (const inner of bodiesOf(node)) await visit(inner);
      await applyTo(node);
    }
  }

  function missed({ id }: Node, { name }: Rule, reason: string): void {
    const reasons = misses.get(id) ?? new Map<string, string>();
    misses.set(id, reasons.set(name, reason));
  }

  async function applyTo(node: Node): Promise<void> {
    for (const rule of byOp(node)) {
      if (!graph.hasNode(node.id)) return;
      const found = rule.match(graph, node);
      if (found === undefined) continue;
      if ("miss" in found) {
        missed(node, rule, found.miss);
        continue;
      }
      const { work = 0 } = found;
      if (work > workLeft) {
        missed(node, rule, "all that may be computed of this model beforehand was computed");
        continue;
      }
      workLeft -= work;
      const data =
        found.needs === undefined
          ? []
          : await Promise.all(found.needs.map((tensor) => tensor.read()));
      const entry = {
        rule: rule.name,
        what: "changed",
        node: graph.nodeLabel(node),
        op: node.op,
        reason: found.because,
      } as const;
      const { changes, journal } = graph;
      const entries = journal.length;
      try {
        edit(graph, rule.name, (editor) => found.rewrite(editor, data), { keepsTypes: true });
      } catch (error) {
        // What it wrote would be another computation, which inference alone could tell. It is undone.
        if (!(error instanceof PareError) || error.code !== "PASS_FAILED") throw error;
        missed(node, rule, error.message);
        continue;
      }
      if (graph.changes > changes && journal.length === entries) journal.push(entry);
    }
  }
}

function constantElements(graph: Graph): number {
  let elements = 0;
  for (const { constant } of graph.allValues()) elements += constant?.count ?? 0;
  return elements;
}

function rulesByOp(rules: readonly Rule[]): (node: Node) => readonly Rule[] {
  const lists = new Map<string, readonly Rule[]>();
  return (node) => {
    const key = `${node.domain}::${node.op}`;
    const known = lists.get(key);
    if (known !== undefined) return known;
    const list = rules.filter(
      (rule) => rule.ops === "any" || (node.domain === "" && rule.ops.includes(node.op)),
    );
    lists.set(key, list);
    return list;
  };
}
