import { readFileSync } from "node:fs";
import { type ConnectOpts, Socket, type SocketConstructorOpts } from "node:net";
import { decode } from "./codec.js";
import { endWithParent } from "./end-with-parent.js";
import { engineOf } from "./engine.js";
import { EngineServer } from "./engine-server.js";
import { letGo } from "./let-go.js";
import { backendFor } from "./measured-backends.js";
import { Messages, pipeNumber, sendMessage } from "./messages.js";
import type { EngineReplies, EngineRequest, WireReply } from "./protocol.js";
import { watchWasmHeap } from "./wasm-heap.js";

// The entry of the engine's process. Its parent decides when it ends: Ctrl-C reaches the whole group.
process.on("SIGINT", () => {});

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

// Before the first model comes: a thread that starts takes time from it.
const server = Promise.all([backend.load(), endWithParent()]).then(
  ([found]) => new EngineServer(engineOf(found, place, peakBytes)),
);
const messages = new Messages((message) => void answer(message));
// Bytes are read to where they belong: samples leave nothing behind that would have to be collected.
const reading: SocketConstructorOpts & ConnectOpts = {
  fd: pipeNumber,
  onread: {
    buffer: () => messages.room,
    callback(count) {
      messages.filled(count);
      return true;
    },
  },
};
const pipe = new Socket(reading);
pipe.on("end", () => process.exit()).on("error", () => process.exit());

async function answer(message: Uint8Array<ArrayBuffer>): Promise<void> {
  const request = decode(message) as EngineRequest;
  const reply = await (await server).answer(request);
  // An engine has a copy of the file that it has loaded.
  if (request.kind === "load") letGo([message]);
  if (request.kind === "reduce" && request.samples.length > 0 && !hasWaiting(reply))
    messages.giveBack(message);
  sendMessage(pipe, reply);
}

/** Of the samples that a message brought. */
function hasWaiting(reply: WireReply): boolean {
  return reply.ok && (reply.value as EngineReplies["reduce"]).waiting > 0;
}
