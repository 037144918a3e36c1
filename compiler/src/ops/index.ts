export * from "./attributes.js";
export * from "./evaluate.js";
export * from "./infer.js";
export * from "./row.js";
export * from "./table.js";
export * from "./execute.js";
