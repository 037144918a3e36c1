import { readFileSync } from "node:fs";
import { engineOf } from "./engine.js";
import { EngineServer } from "./engine-server.js";
import { backendFor } from "./measured-backends.js";
import type { EngineRequest } from "./protocol.js";
import { watchWasmHeap } from "./wasm-heap.js";

// The entry of the engine's process. Its parent decides when it ends: Ctrl-C reaches the whole group.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit());

const backend = backendFor(process.argv[2]);
const place = `Node ${process.versions.node.split(".")[0]}`;
const wasmHeap = backend.inWasm ? watchWasmHeap() : null;
const peakBytes = wasmHeap ?? peakOfProcess;

/** Linux counts the parent's pages into a child's maxRSS, as it was forked from it: VmHWM is the child's own. */
function peakOfProcess(): number {
  if (process.platform === "linux") {
    const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  }
  return process.resourceUsage().maxRSS * 1024;
}

const server = backend.load().then((found) => new EngineServer(engineOf(found, place, peakBytes)));
process.on("message", (request) => void answer(request as EngineRequest));

async function answer(request: EngineRequest): Promise<void> {
  process.send?.(await (await server).answer(request));
}
