import type { Backend } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { wasm } from "@pare/runtime/ort-web";
import { saturates } from "./saturation.js";

let found: Promise<Backend> | undefined;

/** An engine whose integer products are exact here: the CPU's, or WebAssembly's where the processor saturates. */
export function exactEngine(): Promise<Backend> {
  return (found ??= saturates(cpu()).then((saturating) => (saturating ? wasm() : cpu())));
}
