import type { Incoming } from "../format/engine/incoming.js";

/**
 * Compiles a module while its bytes come. They go through a response of this realm's own, whatever type their server says
 * they are. Undefined where WebAssembly cannot.
 */
export function compileWhileItComes(): Incoming | undefined {
  if (typeof WebAssembly.compileStreaming !== "function") return undefined;
  let length = 0;
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({ start: (own) => void (controller = own) });
  const type = { headers: { "content-type": "application/wasm" } };
  const compiled = WebAssembly.compileStreaming(new Response(body, type)).catch(() => undefined);
  return {
    write(chunk, end) {
      // What comes after a download began anew may be of other bytes than what came before: never a mixture.
      if (end - chunk.length !== length) length = NaN;
      else {
        length = end;
        controller?.enqueue(chunk);
      }
    },
    async module(bytes) {
      controller?.close();
      return length === bytes ? compiled : undefined;
    },
    cancel() {
      length = NaN;
      controller?.error();
    },
  };
}
