import { setFlagsFromString } from "node:v8";

/** Node 20 has relaxed SIMD behind a flag. Later versions have it, and end where the baseline compiler is taken from them. */
const isBehindFlag = process.versions.node.startsWith("20.");

/** @param {{ baseline: boolean }} with the baseline compiler, which adds up products of bytes wrongly in Node 20, or without */
export function allowRelaxedSimd({ baseline }) {
  if (!isBehindFlag) return;
  setFlagsFromString("--experimental-wasm-relaxed-simd");
  if (!baseline) setFlagsFromString("--no-liftoff");
}
