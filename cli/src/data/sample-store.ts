import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import {
  PareError,
  type SampleInfo,
  type SampleSet,
  type Sequences,
  type StoredSample,
  throwIfAborted,
} from "@pare/runtime/format";
import { fileError } from "../platform/file-error.js";
import { temporaryFolder, type TemporaryFolder } from "../platform/temporary-folder.js";
import { readRecord } from "./read-record.js";
import { SizesOfSamples, type SizesSeen } from "./sizes-seen.js";
import { follows, type SampleEntry, type StoredAt, type WrittenSample } from "./sample-writer.js";

interface StoredSamples {
  readonly entries: readonly SampleEntry[];
  /** By index, of those that are held. */
  readonly labels: ReadonlyMap<number, unknown>;
  /** The ids of those that hold NaN or infinity. */
  readonly odd: readonly string[];
  readonly sizes: SizesSeen;
  readonly file: FileHandle;
  readonly folder: TemporaryFolder;
  /** Of sequences: by an output, the input that it is at the next step. */
  readonly state: Sequences["state"] | null;
}

/** Samples in a temporary file, by index: memory stays small however many there are. */
export class SampleStore implements SampleSet {
  readonly entries: readonly SampleEntry[];
  /** Whether any sample has a label. */
  readonly labelled: boolean;
  readonly sequences?: Sequences;
  /** The ids of those that hold NaN or infinity. */
  readonly odd: readonly string[];
  readonly sizes: SizesSeen;
  readonly #file: FileHandle;
  readonly #folder: TemporaryFolder;
  readonly #byId: ReadonlyMap<string, SampleEntry>;
  readonly #labels: ReadonlyMap<number, unknown>;

  constructor({ entries, labels, odd, sizes, file, folder, state }: StoredSamples) {
    this.entries = entries;
    this.labelled = entries.some((entry) => entry.labelled);
    this.odd = odd;
    this.sizes = sizes;
    this.#labels = labels;
    this.#file = file;
    this.#folder = folder;
    if (state !== null) this.sequences = { state, startOf: startsOf(entries) };
    this.#byId = new Map(entries.map((entry) => [entry.id, entry]));
  }

  get size(): number {
    return this.entries.length;
  }

  async info(index: number): Promise<SampleInfo> {
    if (!this.#labels.has(index)) return this.sample(index);
    const { id, group } = this.#entry(index);
    return { id, group, label: this.#labels.get(index) };
  }

  #entry(index: number): SampleEntry {
    const entry = this.entries[index];
    if (entry === undefined)
      throw new PareError("INTERNAL", `There is no sample ${index} of ${this.size}.`);
    return entry;
  }

  async sample(index: number): Promise<StoredSample> {
    const entry = this.#entry(index);
    const { feeds, label } = await readRecord(this.#file, entry);
    return { id: entry.id, feeds, label, group: entry.group };
  }

  /** Where a sample lies, for the data module's process. */
  find(id: string): StoredAt {
    const entry = this.#byId.get(id);
    if (entry === undefined) throw new PareError("INTERNAL", `There is no sample "${id}".`);
    return entry;
  }

  async dispose(): Promise<void> {
    await this.#file.close();
    await this.#folder.dispose();
  }
}

export interface StoreOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (stored: number, count: number | null) => void;
}

/**
 * Takes down where each sample was written.
 * @param write writes all samples into a new file of this path
 * @param count how many there will be, where that is known
 * @throws PareError DATA_INVALID (no samples, an id twice), and what writing them throws
 */
export async function storeSamples(
  write: (path: string) => AsyncIterable<WrittenSample>,
  count: number | null,
  where: string,
  options: StoreOptions = {},
  state: Sequences["state"] | null = null,
): Promise<SampleStore> {
  const folder = await temporaryFolder();
  const path = join(folder.path, "samples");
  try {
    const entries: SampleEntry[] = [];
    const labels = new Map<number, unknown>();
    const odd: string[] = [];
    const sizes = new SizesOfSamples();
    for await (const { entry, held: small, isOdd, shapes } of write(path)) {
      throwIfAborted(options.signal);
      sizes.add(shapes);
      if (isOdd) odd.push(entry.id);
      if (small !== null) labels.set(entries.length, small.label);
      entries.push(entry);
      options.onProgress?.(entries.length, count);
    }
    if (entries.length === 0) {
      throw new PareError("DATA_INVALID", `${where} holds no samples.`, {
        where,
        hint: "Check the path, or what the module yields.",
      });
    }
    checkIds(entries, where);
    const file = await open(path, "r");
    return new SampleStore({ entries, labels, odd, sizes: sizes.seen, file, folder, state });
  } catch (error) {
    await folder.dispose();
    throw fileError(error, path, "DATA_INVALID");
  }
}

function startsOf(entries: readonly SampleEntry[]): (index: number) => number {
  const starts = new Uint32Array(entries.length);
  let start = 0;
  for (const [index, entry] of entries.entries()) {
    const before = entries[index - 1];
    if (before === undefined || !follows(before, entry)) start = index;
    starts[index] = start;
  }
  return (index) => starts[index] ?? index;
}

function checkIds(entries: readonly SampleEntry[], where: string): void {
  const seen = new Set<string>();
  for (const { id } of entries) {
    if (seen.has(id)) {
      throw new PareError("DATA_INVALID", `Two samples in ${where} have the id "${id}".`, {
        where: `id "${id}"`,
        hint: "Give each sample an id of its own, or none.",
      });
    }
    seen.add(id);
  }
}
