export { convert } from "./elements/convert.js";
export { evaluateNode } from "./reference/evaluate.js";
export { evaluateGraph } from "./reference/execute.js";
export { type AttributeReader, attributeReader } from "./schema/attributes.js";
export { missingInput } from "./schema/missing-input.js";
export { inferAll, inferNode } from "./shape/infer.js";
export { operatorOf, operators } from "./table.js";
export { movesExactly } from "./traits/data-movement.js";
export type { Linear } from "./traits/linear.js";
