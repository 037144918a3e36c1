import type { VerbEntry } from "./verb.js";

/** Every verb that works. */
export const verbs: readonly VerbEntry[] = [
  {
    name: "optimize",
    summary: "compile for targets, measure, keep the best, write a bundle",
    load: () => import("../verbs/optimize.js"),
  },
  {
    name: "inspect",
    summary: "inputs, outputs, operators, size, and what each target supports",
    load: () => import("../verbs/inspect.js"),
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
