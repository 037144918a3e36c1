export { type AssembleRequest, assembleBundle } from "./assemble.js";
export {
  type BundleInput,
  type BundleSink,
  type BundleVariant,
  bundleFiles,
  externalLocation,
} from "./bundle-files.js";
export { GoldenRecorder, type RecordedGolden } from "./record-golden.js";
