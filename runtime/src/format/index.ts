export * from "./backend.js";
export * from "./dtype.js";
export * from "./error.js";
export * from "./manifest.js";
export * from "./measurement.js";
export * from "./report.js";
export * from "./sample.js";
export * from "./tensor.js";
