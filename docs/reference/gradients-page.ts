import { operators } from "../../compiler/src/ops/index.js";
import {
  attentionOperators,
  fusedOperators,
} from "../../compiler/src/passes/fused-operators/say-fused.js";
import { newerOperators } from "../../compiler/src/passes/opset/newer-operators.js";

type Kind = "rule" | "lowering" | "said" | "straight-through" | "none" | "missing";

const kinds: readonly (readonly [kind: Kind, title: string, says: string])[] = [
  [
    "rule",
    "With a rule",
    "Their gradient is written in plain operators of ai.onnx, opset 21, and checked against central differences on `cpu` and `wasm`.",
  ],
  [
    "lowering",
    "Written out first",
    "In the training graph simpler operators take their place, recurrent ones step by step, and these are differentiated.",
  ],
  [
    "said",
    "Said in others",
    "What is newer than opset 21, what onnxruntime fuses where it saves a model, and what ONNX defines by others, is gone before a model is trained.",
  ],
  [
    "straight-through",
    "Straight through, where asked for",
    "They round: their gradient is zero. Where rounding is to be learned through, the gradient passes as if nothing was done.",
  ],
  [
    "none",
    "Without a gradient",
    "Their result does not vary with their inputs, or only in steps: what lies before them learns nothing through them.",
  ],
  [
    "missing",
    "Unknown",
    "Nobody wrote their gradient. Where one lies between weights that are to be trained and the loss, training ends before it begins with `UNSUPPORTED_OP`, which names it.",
  ],
];

/** `gradients.md`: every operator that is known, by how gradients go back through it. */
export function gradientsPage(): string {
  const found = [...operators].map(
    ([key, { gradient }]) => [key, said.has(key) ? "said" : kindOf(gradient)] as const,
  );
  const sections = kinds.flatMap(([kind, title, says]) => {
    const keys = found.filter(([, own]) => own === kind).map(([key]) => key);
    const list = [...keys].sort().map((key) => `\`${key}\``);
    return [`## ${title}`, "", says, "", `${list.length}: ${list.join(", ")}.`, ""];
  });
  return [
    "# Gradients",
    "",
    "Training and distillation differentiate a graph: they add the gradients of a loss to it, as further nodes, and any",
    "engine that runs the model can train it. How a gradient goes back through an operator is a cell of the operator",
    "table (`compiler/src/ops/gradients`). Elements that are equal: MaxPool and GlobalMaxPool give all to the first of the",
    "largest, ReduceMax, ReduceMin, Max and Min share, as PyTorch does; Relu and Clip pass nothing at their bends.",
    "",
    ...sections,
  ].join("\n");
}

const said = new Set([
  ...fusedOperators,
  ...attentionOperators,
  ...newerOperators.map(({ op }) => op),
]);

function kindOf(gradient: unknown): Kind {
  if (gradient === undefined) return "missing";
  if (gradient === "none" || gradient === "straight-through") return gradient;
  return typeof gradient === "function" ? "rule" : "lowering";
}
