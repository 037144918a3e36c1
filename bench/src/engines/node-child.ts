import { readFileSync } from "node:fs";
import type { Backend } from "@pare/runtime/format";
import { engineOf } from "./engine.js";
import { EngineServer } from "./engine-server.js";
import type { EngineRequest } from "./protocol.js";
import { watchWasmHeap } from "./wasm-heap.js";

// The entry of the engine's process. Its parent decides when it ends: Ctrl-C reaches the whole group.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit());

const target = process.argv[2];
const place = `Node ${process.versions.node.split(".")[0]}`;
const wasmHeap = target === "wasm" ? watchWasmHeap() : null;
const peakBytes = wasmHeap ?? peakOfProcess;

/** Linux counts the parent's pages into a child's maxRSS, as it was forked from it: VmHWM is the child's own. */
function peakOfProcess(): number {
  if (process.platform === "linux") {
    const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  }
  return process.resourceUsage().maxRSS * 1024;
}

async function backend(): Promise<Backend> {
  if (target === "wasm") return (await import("@pare/runtime/ort-web")).wasm({ threads: 1 });
  return (await import("@pare/runtime/ort-node")).cpu();
}

const server = backend().then((found) => new EngineServer(engineOf(found, place, peakBytes)));
process.on("message", (request) => void answer(request as EngineRequest));

async function answer(request: EngineRequest): Promise<void> {
  process.send?.(await (await server).answer(request));
}
