import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { backendsInNode } from "@pare/bench";
import {
  type Backend,
  isPareError,
  isTypedArray,
  messageOf,
  PareError,
  type Session,
  type Tensors,
} from "@pare/runtime/format";
import { EventLoopSpin } from "./event-loop-spin.js";
import type { ThreadData, ThreadReply, ThreadRequest } from "./thread-protocol.js";

// The entry of a thread that has an engine of its own, beside that of its process.
interface Held {
  readonly session: Session;
  /** Of the last run: what lies in shared memory is sent once. */
  feeds: Tensors;
  into: Tensors;
}

const port: MessagePort | null = parentPort;
const { target } = workerData as ThreadData;
const sessions = new Map<number, Held>();
const spin = new EventLoopSpin();
let backend: Promise<Backend> | null = null;

port?.on("message", (request: ThreadRequest) => {
  void answer(request)
    .catch((error: unknown) => failed(request.id, error))
    .then(send);
});

async function answer(request: ThreadRequest): Promise<ThreadReply> {
  const { id } = request;
  switch (request.kind) {
    case "load": {
      const { artifact, threads } = request;
      const session = await (await (backend ??= findBackend())).load(artifact, { threads });
      sessions.set(id, { session, feeds: {}, into: {} });
      const { inputs, outputs } = session;
      return { id, kind: "loaded", loaded: { session: id, inputs, outputs } };
    }
    case "run": {
      const held = sessions.get(request.session);
      if (held === undefined) throw new PareError("DISPOSED", "The model was disposed of.");
      held.feeds = { ...held.feeds, ...request.feeds };
      held.into = { ...held.into, ...request.into };
      const outputs = await held.session.run(held.feeds, undefined, held.into);
      return { id, kind: "ran", outputs: withoutPlaced(outputs, held.into, request.placed) };
    }
    case "dispose":
      await sessions.get(request.session)?.session.dispose();
      sessions.delete(request.session);
      return { id, kind: "done" };
    case "close":
      for (const { session } of sessions.values()) await session.dispose();
      return { id, kind: "done" };
    default:
      return request satisfies never;
  }
}

/** Puts outputs where their places are, and gives the others. */
function withoutPlaced(outputs: Tensors, into: Tensors, placed: readonly string[]): Tensors {
  const others = Object.entries(outputs).filter(([name, { data }]) => {
    const place = placed.includes(name) ? into[name]?.data : undefined;
    const fits = place instanceof Float32Array && data instanceof Float32Array;
    if (!fits || place.length !== data.length) return true;
    if (place !== data) place.set(data);
    return false;
  });
  return Object.fromEntries(others);
}

async function findBackend(): Promise<Backend> {
  const found = (await backendsInNode()).find((one) => one.target === target);
  if (found !== undefined) return found;
  throw new PareError("ENGINE_MISSING", `There is no engine for ${target} in this thread.`);
}

/** Outputs are the caller's: their memory goes over instead of being copied. */
function send(reply: ThreadReply): void {
  const moved = reply.kind === "ran" ? buffersOf(reply.outputs) : [];
  port?.postMessage(reply, moved);
  // The next step is asked for soon.
  spin.start();
}

function buffersOf(tensors: Tensors): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { data } of Object.values(tensors))
    if (isTypedArray(data) && data.buffer instanceof ArrayBuffer) buffers.add(data.buffer);
  return [...buffers];
}

function failed(id: number, error: unknown): ThreadReply {
  const known = isPareError(error) ? error : null;
  return {
    id,
    kind: "failed",
    code: known?.code ?? "ENGINE",
    message: messageOf(error),
    hint: known?.hint ?? null,
  };
}
