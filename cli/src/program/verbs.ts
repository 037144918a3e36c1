import type { VerbEntry } from "./verb.js";

/** Every verb that works. */
export const verbs: readonly VerbEntry[] = [
  {
    name: "optimize",
    summary: "compile for targets, measure, keep the best, write a bundle",
    load: () => import("../verbs/optimize.js"),
  },
  {
    name: "simplify",
    summary: "fold, merge and drop nodes: ONNX in, ONNX out",
    load: () => import("../verbs/simplify.js"),
  },
  {
    name: "quantize",
    summary: "one way of quantizing, unmeasured: ONNX in, ONNX out",
    load: () => import("../verbs/quantize.js"),
  },
  {
    name: "convert",
    summary: "write another opset: ONNX in, ONNX out",
    load: () => import("../verbs/convert.js"),
  },
  {
    name: "inspect",
    summary: "inputs, outputs, operators, size, and what each target supports",
    load: () => import("../verbs/inspect.js"),
  },
  {
    name: "run",
    summary: "run a model or bundle once",
    load: () => import("../verbs/run.js"),
  },
  {
    name: "bench",
    summary: "compare files: accuracy, flips, latency, memory, start-up, size; gate",
    load: () => import("../verbs/bench.js"),
  },
  {
    name: "data",
    summary: "write a commented data module that fits the model's inputs",
    load: () => import("../verbs/data.js"),
  },
  {
    name: "doctor",
    summary: "what this machine can run, and how to get what is missing",
    load: () => import("../verbs/doctor.js"),
  },
];
