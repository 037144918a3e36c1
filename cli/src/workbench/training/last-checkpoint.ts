import { messageOf } from "@pare/runtime/format";
import { writeFileAtomic } from "../../platform/write-file.js";
import type { WorkOutput } from "../../terminal/output.js";

/** The last of a training's checkpoints, and the file that holds it. No training ends because one cannot be written. */
export class LastCheckpoint {
  readonly #file: string | undefined;
  readonly #say: Pick<WorkOutput, "note">;
  #last: Uint8Array | null = null;
  /** What the file holds. */
  #kept: Uint8Array | null = null;
  #saidWhyNot = false;
  #isWriting = false;
  /** Until the last is written. It never rejects. */
  #writing: Promise<void> = Promise.resolve();

  /** @param file written with each; where there is none, the last is only kept in memory */
  constructor(file: string | undefined, say: Pick<WorkOutput, "note">) {
    this.#file = file;
    this.#say = say;
  }

  /** Null where there is none yet. */
  get last(): Uint8Array | null {
    return this.#last;
  }

  put(bytes: Uint8Array): void {
    this.#last = bytes;
    if (this.#file !== undefined && !this.#isWriting) this.#writing = this.#writeLast(this.#file);
  }

  /** Until nothing is written any more. */
  settled(): Promise<void> {
    return this.#writing;
  }

  /** Leaves the last in its file, or else in another, and says in which. Nothing where nothing was learned. */
  async leave(otherwise: string): Promise<void> {
    const last = this.#last;
    if (last === null) return;
    await this.#writing;
    const kept = this.#kept === last ? this.#file : undefined;
    const left = kept ?? otherwise;
    try {
      if (kept === undefined) await writeFileAtomic(otherwise, last);
      this.#say.note(`What was learned is in ${left}: --checkpoint ${left} goes on.`);
    } catch (error) {
      this.#say.note(`What was learned cannot be kept: ${messageOf(error)}`);
    }
  }

  /** What is put while one is written comes after it; of several, only the last. */
  async #writeLast(file: string): Promise<void> {
    this.#isWriting = true;
    let written: Uint8Array | null = null;
    while (this.#last !== null && this.#last !== written) {
      written = this.#last;
      await this.#write(file, written);
    }
    this.#isWriting = false;
  }

  async #write(file: string, bytes: Uint8Array): Promise<void> {
    try {
      await writeFileAtomic(file, bytes);
      this.#kept = bytes;
    } catch (error) {
      if (this.#saidWhyNot) return;
      this.#saidWhyNot = true;
      this.#say.note(`The checkpoint cannot be written, and training goes on: ${messageOf(error)}`);
    }
  }
}
