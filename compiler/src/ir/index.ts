export * from "./attribute.js";
export * from "./content.js";
export * from "./data-type.js";
export * from "./dim.js";
export { build, edit } from "./edit/edit.js";
export { Editor } from "./edit/editor.js";
export type { AddOptions } from "./edit/node-editor.js";
export type { EditOptions } from "./edit/transaction.js";
export { Graph, type Infer, type Inferred } from "./graph.js";
export type * from "./ids.js";
export {
  type Attribute,
  type Attributes,
  bodiesOf,
  type Body,
  type JournalEntry,
  type ModelHeader,
  newHeader,
  type Node,
  normalOpset,
  type Value,
} from "./model.js";
export { captures, dependencies } from "./order.js";
export { shapeOf } from "./shape-of.js";
export * from "./tensor.js";
export * from "./text/parse.js";
export * from "./text/print.js";
export * from "./type.js";
export type { Use, Uses } from "./uses.js";
export * from "./verify.js";
