export { type CompiledModel, type CompileOptions, compileToWasm, refusalText } from "./compile.js";
export { type Refusal, refusals } from "./lower/refusals.js";
