import { setFlagsFromString } from "node:v8";

/** Has relaxed SIMD behind a flag; later versions have it, and end where a flag is changed that they know no more. */
const isBehindFlag = process.versions.node.startsWith("20.");

/** @param {boolean} rightly without the baseline compiler, which adds up products of bytes wrongly there */
export function allowRelaxedSimd(rightly) {
  if (!isBehindFlag) return;
  setFlagsFromString("--experimental-wasm-relaxed-simd");
  if (rightly) setFlagsFromString("--no-liftoff");
}
