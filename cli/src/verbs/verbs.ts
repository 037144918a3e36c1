import type { VerbEntry } from "../terminal/verb.js";

/** Every verb that works. */
export const verbs: readonly VerbEntry[] = [
  {
    name: "optimize",
    summary: "compile for targets, measure, keep the best, write a bundle",
    load: () => import("./optimize/command.js"),
  },
  {
    name: "simplify",
    summary: "fold, merge and drop nodes: ONNX in, ONNX out",
    load: () => import("./simplify/command.js"),
  },
  {
    name: "quantize",
    summary: "one way of quantizing, unmeasured: ONNX in, ONNX out",
    load: () => import("./quantize/command.js"),
  },
  {
    name: "convert",
    summary: "write another opset: ONNX in, ONNX out",
    load: () => import("./convert/command.js"),
  },
  {
    name: "inspect",
    summary: "inputs, outputs, operators, size, and what each target supports",
    load: () => import("./inspect/command.js"),
  },
  {
    name: "run",
    summary: "run a model or bundle once",
    load: () => import("./run/command.js"),
  },
  {
    name: "bench",
    summary: "compare files: accuracy, flips, latency, memory, start-up, size; gate",
    load: () => import("./bench/command.js"),
  },
  {
    name: "data",
    summary: "write a commented data module that fits the model's inputs",
    load: () => import("./data/command.js"),
  },
  {
    name: "doctor",
    summary: "what this machine can run, and how to get what is missing",
    load: () => import("./doctor/command.js"),
  },
];
