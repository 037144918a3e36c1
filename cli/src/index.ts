/** What a program in Node can import from `pare`; everything else is on the command line. */
export { optimize, type OptimizeCall, type OptimizeProgress } from "./verbs/optimize/optimize.js";
export type { OptimizeOptions } from "./verbs/optimize/optimize-options.js";
export type { OptimizeResult } from "./verbs/optimize/optimize-model.js";
export {
  type ErrorCode,
  isPareError,
  PareError,
  type Report,
  type ReportCheck,
  type TargetName,
} from "@pare/runtime/format";
