import { shapeOf } from "../ir/index.js";
import { normalAxis } from "../ops/families/indexing.js";
import { attributesOf, inputOf, outputOf } from "./pattern.js";
import { replacing, type Rule } from "./rule.js";

/**
 * f(Gather(table, i), c) = Gather(f(table, c), i), for constants and what unpacks bits: where there is no kernel for that, the
 * whole table is unpacked once instead of the rows that were looked up. The axis that is looked up is none of c's.
 */
export const bitsOfTables: Rule = {
  name: "bits-of-tables",
  exactness: "bitwise",
  ops: ["BitShift", "BitwiseAnd"],
  match(graph, node) {
    const [rows, constant] = [inputOf(node, 0), inputOf(node, 1)];
    const gather = graph.producer(rows);
    const output = outputOf(node);
    if (gather?.op !== "Gather" || gather.domain !== "" || output === undefined) return undefined;
    const [table, indices] = [inputOf(gather, 0), inputOf(gather, 1)];
    const [dims, other] = [shapeOf(graph, table), graph.constant(constant)?.dims];
    if (graph.constant(table) === undefined && !isUnpacked(graph.producer(table)?.op))
      return undefined;
    if (table === undefined || indices === undefined || constant === undefined) return undefined;
    if (dims === undefined || other === undefined) return undefined;
    const axis = normalAxis(attributesOf(gather).int("axis", 0), dims.length);
    // Counted from the end, before and after.
    if (other.length >= dims.length - axis) return undefined;
    return replacing(output, "its table is unpacked before it is looked up", (editor) => {
      const body = graph.body(node.body);
      const attributes = Object.fromEntries(node.attributes);
      const whole = editor.add1(node.op, [table, constant], attributes, { body });
      const looked = Object.fromEntries(gather.attributes);
      return editor.add1("Gather", [whole, indices], looked, { body });
    });
  },
};

function isUnpacked(op: string | undefined): boolean {
  return op === "BitShift" || op === "BitwiseAnd";
}
