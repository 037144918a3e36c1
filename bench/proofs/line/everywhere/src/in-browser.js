import { wasm, webgpu } from "@pare/runtime/ort-web";
import { answersOf } from "./answers.js";

export async function inBrowser(source, feeds, { threads, ...options }) {
  const backends = [webgpu({ threads }), wasm({ threads })];
  const said = await answersOf(source, feeds, { ...options, backends });
  return { ...said, isolated: crossOriginIsolated };
}
