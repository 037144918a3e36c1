import { classesOfCoupling } from "../../ops/index.js";
import { couplePairs, coupleRoom } from "../kernels/couple-pairs.js";
import { rowMajor, sizeAt, stepAt } from "../plan/view.js";
import type { LoweringRow } from "./lowering-row.js";

/** SVMClassifier of ai.onnx.ml where all that it does is to find probabilities of classes from those of pairs. */
export const couplingRow: LoweringRow = {
  types: ["float32", "int64"],
  refuse(node) {
    const classes = classesOfCoupling(node.attributes);
    const [label] = node.node.outputs;
    const isRead = label !== null && label !== undefined && node.graph.value(label).uses.length > 0;
    const isThat = classes !== undefined && node.attributes.string("post_transform", "NONE") === "NONE"; // prettier-ignore
    return isThat && !isRead ? undefined : "support vectors are compiled as products alone";
  },
  lower(node, l) {
    const classes = classesOfCoupling(node.attributes);
    if (classes === undefined) throw node.fault("couples no pairs");
    const logits = l.withLanes(l.view(node.required(0)), 1);
    const shares = l.allocate(node.output(1), rowMajor(2), { exact: true });
    const room = l.plan.memory(coupleRoom(classes), "pairs");
    const options = {
      samples: sizeAt(logits, 0),
      classes,
      steps: [stepAt(logits, 0), stepAt(shares, 0)] as const,
    };
    l.plan.step(couplePairs, options, [logits.place, shares.place, room]);
  },
};
