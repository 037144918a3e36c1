import type { Writable } from "node:stream";
import { encodeParts } from "./codec.js";

/** The file descriptor of the pipe in an engine's process, after the standard ones. */
export const pipeNumber = 3;

/** In front of each message: how many bytes it has. */
const lengthBytes = 8;

/** Sends a message through a pipe. Its arrays are not copied, and may not change before it is answered. */
export function sendMessage(pipe: Writable, value: unknown): void {
  const parts = encodeParts(value);
  const length = new Uint8Array(lengthBytes);
  const bytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  new DataView(length.buffer).setBigUint64(0, BigInt(bytes), true);
  pipe.cork();
  for (const part of [length, ...parts]) pipe.write(part);
  pipe.uncork();
}

/** Puts messages together from what comes through a pipe. */
export class Messages {
  readonly #onMessage: (message: Uint8Array<ArrayBuffer>) => void;
  readonly #length = new Uint8Array(lengthBytes);
  /** Null while the length is read. */
  #message: Uint8Array<ArrayBuffer> | null = null;
  #filled = 0;
  #spare: Uint8Array<ArrayBuffer> | null = null;

  constructor(onMessage: (message: Uint8Array<ArrayBuffer>) => void) {
    this.#onMessage = onMessage;
  }

  /** Where the next bytes belong. */
  get room(): Uint8Array {
    return (this.#message ?? this.#length).subarray(this.#filled);
  }

  /** So many bytes of `room` are there now. */
  filled(count: number): void {
    this.#filled += count;
    if (this.room.byteLength > 0) return;
    const message = this.#message;
    this.#filled = 0;
    this.#message =
      message === null
        ? this.#memory(new DataView(this.#length.buffer).getBigUint64(0, true))
        : null;
    if (message !== null) this.#onMessage(message);
  }

  add(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.byteLength;) {
      const { room } = this;
      const part = chunk.subarray(at, at + room.byteLength);
      room.set(part);
      at += part.byteLength;
      this.filled(part.byteLength);
    }
  }

  /** Nothing of a message is in use any more: the next one may have its memory. */
  giveBack(message: Uint8Array<ArrayBuffer>): void {
    this.#spare = message;
  }

  #memory(length: bigint): Uint8Array<ArrayBuffer> {
    const bytes = Number(length);
    const spare = this.#spare?.buffer;
    this.#spare = null;
    return spare !== undefined && spare.byteLength >= bytes
      ? new Uint8Array(spare, 0, bytes)
      : new Uint8Array(bytes);
  }
}
