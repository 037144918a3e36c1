import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { PareError, throwIfAborted } from "@pare/runtime/format";
import { fileError } from "../platform/file-error.js";
import { type ModuleOptions, ModuleProcess } from "./module-process.js";
import type { ModuleDescription, ModuleReplies, ModuleRequest } from "./module-protocol.js";
import type { SampleModel } from "./raw-sample.js";
import type { WrittenSample } from "./sample-writer.js";

/** A user's data module, running in a process of its own. */
export class DataModule {
  readonly path: string;
  readonly description: ModuleDescription;
  readonly #process: ModuleProcess;
  readonly #options: ModuleOptions;

  private constructor(
    path: string,
    description: ModuleDescription,
    process: ModuleProcess,
    options: ModuleOptions,
  ) {
    this.path = path;
    this.description = description;
    this.#process = process;
    this.#options = options;
  }

  /** @throws PareError DATA_NOT_FOUND, DATA_MODULE with the module's own error and line */
  static async open(file: string, options: ModuleOptions = {}): Promise<DataModule> {
    const path = resolve(file);
    await access(path).catch((cause: unknown) => {
      throw fileError(cause, file, "DATA_NOT_FOUND");
    });
    throwIfAborted(options.signal);
    const process = new ModuleProcess(path, options);
    try {
      const description = await process.call({ kind: "open", url: pathToFileURL(path).href });
      return new DataModule(path, description, process, options);
    } catch (error) {
      process.end();
      throw error;
    }
  }

  /** Every sample, in the module's order, written by its process into a new file: none passes through this one. */
  async *samples(file: string, model: SampleModel): AsyncGenerator<WrittenSample> {
    const most = this.#options.mostSamples ?? 1_000_000;
    let count = 0;
    await this.#process.call({ kind: "store", file, model });
    let next: Promise<ModuleReplies["next"]> | null = this.#nextBatch();
    while (next !== null) {
      const batch: ModuleReplies["next"] = await next;
      // The module goes on while these are taken down.
      next = batch.done ? null : this.#nextBatch();
      count += batch.samples.length;
      if (count > most) {
        throw new PareError(
          "DATA_MODULE",
          `The data module gave more than ${most} samples and went on.`,
          {
            where: this.path,
            hint: "Let `samples` end: it must not repeat itself.",
          },
        );
      }
      yield* batch.samples;
    }
  }

  /** Whoever waits for it hears of its failure; nobody does where reading ended before. */
  #nextBatch(): Promise<ModuleReplies["next"]> {
    const batch = this.#process.call<"next">({ kind: "next" });
    batch.catch(() => {});
    return batch;
  }

  call<K extends ModuleRequest["kind"]>(
    request: Extract<ModuleRequest, { kind: K }>,
  ): Promise<ModuleReplies[K]> {
    return this.#process.call(request);
  }

  dispose(): void {
    this.#process.end();
  }
}
