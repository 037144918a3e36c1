import type { VerbEntry } from "../terminal/verb.js";

/** Every verb that works. */
export const verbs: readonly VerbEntry[] = [
  {
    name: "optimize",
    summary: "compile for targets, measure, keep the best, write a bundle",
    examples: [
      "pare optimize model.onnx --data ./photos --preprocess imagenet --max-drop 0.01",
      "pare optimize model.onnx --data data.mjs --recipe small --time-budget 20m",
    ],
    load: () => import("./optimize/command.js"),
  },
  {
    name: "simplify",
    summary: "fold, merge and drop nodes: ONNX in, ONNX out",
    examples: ["pare simplify model.onnx --shape images=1x3x640x640 -o small.onnx"],
    load: () => import("./simplify/command.js"),
  },
  {
    name: "prune",
    summary: "take out the channels and heads that matter least: ONNX in, ONNX out",
    examples: [
      "pare prune model.onnx --keep-flops 0.6",
      "pare prune model.onnx --keep-params 0.5 --recover 10 --data data.mjs",
    ],
    load: () => import("./prune/command.js"),
  },
  {
    name: "quantize",
    summary: "one way of quantizing, unmeasured: ONNX in, ONNX out",
    examples: [
      "pare quantize model.onnx --mode weights --bits 4",
      "pare quantize model.onnx --mode static --data ./photos --preprocess imagenet",
    ],
    load: () => import("./quantize/command.js"),
  },
  {
    name: "distill",
    summary: "train a small model on a large one's answers and on labels: ONNX in, ONNX out",
    examples: [
      "pare distill --teacher big.onnx --student small.onnx --data data.mjs --epochs 10",
      "pare distill --teacher encoder.onnx --student depth=0.5 --data sentences.mjs",
    ],
    load: () => import("./distill/command.js"),
  },
  {
    name: "convert",
    summary: "write another opset: ONNX in, ONNX out",
    examples: ["pare convert model.onnx --opset 17 -o older.onnx"],
    load: () => import("./convert/command.js"),
  },
  {
    name: "inspect",
    summary: "inputs, outputs, operators, size, and what each target supports",
    examples: ["pare inspect model.onnx --dim batch=1", "pare inspect model.pare --why"],
    load: () => import("./inspect/command.js"),
  },
  {
    name: "run",
    summary: "run a model or bundle once",
    examples: [
      "pare run model.pare --input x=digit.json",
      "pare run model.onnx --input images=cat.png --preprocess imagenet --target wasm",
    ],
    load: () => import("./run/command.js"),
  },
  {
    name: "bench",
    summary: "compare files: accuracy, flips, latency, memory, start-up, size; gate",
    examples: [
      "pare bench model.onnx smaller.onnx --data test.npz",
      "pare bench model.onnx --base HEAD~1 --data test.npz --gate --report md=gate.md",
    ],
    load: () => import("./bench/command.js"),
  },
  {
    name: "data",
    summary: "write a commented data module that fits the model's inputs",
    examples: ["pare data model.onnx -o data.mjs"],
    load: () => import("./data/command.js"),
  },
  {
    name: "doctor",
    summary: "what this machine can run, and how to get what is missing",
    examples: ["pare doctor --json"],
    load: () => import("./doctor/command.js"),
  },
  {
    name: "completion",
    summary: "print a script that completes verbs and options in a shell",
    examples: [
      'eval "$(pare completion bash)"',
      "pare completion fish > ~/.config/fish/completions/pare.fish",
    ],
    needsAll: true,
    load: () => import("./completion/command.js"),
  },
];
