import { messageOf } from "@pare/runtime/format";
import { decode, encode } from "./codec.js";
import { engineOf } from "./engine.js";
import { EngineServer } from "./engine-server.js";
import { backendFor } from "./measured-backends.js";
import type { EngineRequest } from "./protocol.js";
import { watchWasmHeap } from "./wasm-heap.js";

// The entry of a web worker: asks the server for work, does it, and posts the answer back.
const parameters = new URL(import.meta.url).searchParams;
const mailbox = new URL(`../../call/${parameters.get("channel")}`, import.meta.url);

const heap = watchWasmHeap();

async function serve(): Promise<void> {
  const backend = await backendFor(parameters.get("target")).load();
  const server = new EngineServer(engineOf(backend, parameters.get("place") ?? "a browser", heap));
  for (;;) {
    const next = await fetch(mailbox);
    if (next.status === 410) return;
    if (next.status === 204) continue;
    const reply = await server.answer(
      decode(new Uint8Array(await next.arrayBuffer())) as EngineRequest,
    );
    await fetch(mailbox, { method: "POST", body: encode(reply) });
  }
}

serve().catch((error: unknown) => fetch(mailbox, { method: "DELETE", body: messageOf(error) }));
