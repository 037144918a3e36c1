export { load } from "./load/load.js";
export type { LoadModelOptions as LoadOptions, Progress } from "./load/load.js";
export type { Backends, SyncBackends } from "./load/backends-of.js";
export type { BundleSource } from "./load/open-bundle.js";
export type { AsyncModel, LoadedModel, Model, RunOptions, SyncModel } from "./session/model.js";
export type {
  ArraysOf,
  RunSync,
  StatePairs,
  Stream,
  SyncStream,
} from "./format/engine/run-sync.js";
export { LoadError } from "./session/selection.js";
export type { Attempt, Selection } from "./session/selection.js";
export { PareError } from "./format/error.js";
export type { ErrorCode } from "./format/error.js";
export type { Backend, Fetch, Probe, SyncBackend, TargetName } from "./format/engine/backend.js";
export type { ValueInfo } from "./format/tensor/value-info.js";
export type { BundleModule } from "./format/bundle/bundle-module.js";
export type { Dtype, TypedArray } from "./format/tensor/dtype.js";
export type { Feeds, Tensor, Tensors } from "./format/tensor/tensor.js";
