export {
  type CompiledModel,
  type CompileOptions,
  compileToWasm,
  refusalsOf,
  refusalText,
} from "./compile.js";
export { type ModuleFacts } from "./emit.js";
export { readFacts } from "./read-facts.js";
export { compiledOperators } from "./lower/lowerings.js";
export { decidedBy, type Refusal } from "./lower/refusals.js";
