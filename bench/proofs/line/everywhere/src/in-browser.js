import { aot } from "@pare/runtime/aot";
import { wasm, webgpu } from "@pare/runtime/ort-web";
import { answersOf } from "./answers.js";

export async function inBrowser(source, feeds, { threads, ...options }) {
  const engines = [webgpu({ threads }), wasm({ threads })];
  const backends = options.target === "aot" ? [aot()] : engines;
  const said = await answersOf(source, feeds, { ...options, backends });
  const shares = typeof SharedArrayBuffer !== "undefined";
  return { ...said, isolated: crossOriginIsolated, shares };
}
