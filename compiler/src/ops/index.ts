export * from "./schema/attributes.js";
export * from "./reference/evaluate.js";
export * from "./shape/infer.js";
export * from "./shape/rule.js";
export * from "./table.js";
export * from "./reference/execute.js";
