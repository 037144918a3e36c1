export * from "./attribute.js";
export * from "./dim.js";
export * from "./editor.js";
export * from "./graph.js";
export * from "./order.js";
export * from "./tensor.js";
export * from "./type.js";
