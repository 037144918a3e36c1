import type { FileHandle } from "node:fs/promises";

/** A call costs more than to copy so little. */
const writtenAtOnce = 2 ** 20;

/** Writes a new file from its beginning, small pieces together. What was appended is in it after `flush`. */
export class GatheredWrites {
  readonly #file: FileHandle;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #written = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** @returns where the bytes will begin */
  async append(bytes: Uint8Array): Promise<number> {
    const offset = this.#written + this.#waitingBytes;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes >= writtenAtOnce) await this.flush();
    return offset;
  }

  /** A disk that is filling up takes a part of what it is given, and says so only to who asks again. */
  async flush(): Promise<void> {
    const [first, ...others] = this.#waiting.splice(0);
    if (first === undefined) return;
    const bytes = others.length === 0 ? first : Buffer.concat([first, ...others]);
    this.#waitingBytes = 0;
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.#file.write(
        bytes,
        done,
        bytes.length - done,
        this.#written,
      );
      done += bytesWritten;
      this.#written += bytesWritten;
    }
  }
}
