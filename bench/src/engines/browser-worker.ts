import { type ArtifactFormat, messageOf } from "@pare/runtime/format";
import { decode, encode } from "./codec.js";
import { engineOf, jointEngine } from "./engine.js";
import { type Engine, EngineServer } from "./engine-server.js";
import { backendFor } from "./measured-backends.js";
import type { EngineRequest } from "./protocol.js";
import { watchWasmHeap } from "./wasm-heap.js";

// The entry of a web worker: takes the engines of one target or several, asks the server for work, does it, and posts the
// answer back.
const parameters = new URL(import.meta.url).searchParams;
const mailbox = new URL(`../../call/${parameters.get("channel")}`, import.meta.url);

const heap = watchWasmHeap();

async function serve(): Promise<void> {
  const place = parameters.get("place") ?? "a browser";
  const engines = new Map<ArtifactFormat, Engine>();
  for (const target of (parameters.get("target") ?? "").split(",")) {
    const backend = backendFor(target);
    engines.set(backend.format, engineOf(await backend.load(), place, heap));
  }
  const server = new EngineServer(jointEngine(engines));
  for (;;) {
    const next = await fetch(mailbox);
    if (next.status === 410) return;
    if (next.status === 204) continue;
    const reply = await server.answer(
      decode(new Uint8Array(await next.arrayBuffer())) as EngineRequest,
    );
    // Chromium hands large bodies of bytes to the network many times as slowly as a blob's.
    await fetch(mailbox, { method: "POST", body: new Blob([encode(reply)]) });
  }
}

serve().catch((error: unknown) => fetch(mailbox, { method: "DELETE", body: messageOf(error) }));
