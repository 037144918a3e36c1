import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import {
  PareError,
  type SampleInfo,
  type SampleSet,
  type StoredSample,
  type Tensors,
  throwIfAborted,
  type ValueInfo,
} from "@pare/runtime/format";
import { fileError } from "../platform/file-error.js";
import { temporaryFolder, type TemporaryFolder } from "../platform/temporary-folder.js";
import { feedsDigest, labelDigest } from "./digests.js";
import { fitFeeds } from "./fit-feeds.js";
import type { SampleRecord, StoredAt } from "./module-protocol.js";
import type { RawSamples } from "./raw-sample.js";

/** What is known of a sample without reading it. */
export interface SampleEntry extends StoredAt {
  /** Of its feeds: equal digests are equal feeds. */
  readonly digest: string;
  readonly labelDigest: string;
}

/** Labels of up to so many bytes are held; larger ones are read with their sample. */
const heldLabelBytes = 1024;

/** Samples in a temporary file, by index: memory stays small however many there are. */
export class SampleStore implements SampleSet {
  readonly entries: readonly SampleEntry[];
  readonly labelled: boolean;
  readonly #file: FileHandle;
  readonly #folder: TemporaryFolder;
  readonly #byId: ReadonlyMap<string, SampleEntry>;
  readonly #labels: ReadonlyMap<number, unknown>;

  /** @param labels by index, of those that are held */
  constructor(
    entries: readonly SampleEntry[],
    labels: ReadonlyMap<number, unknown>,
    labelled: boolean,
    file: FileHandle,
    folder: TemporaryFolder,
  ) {
    this.entries = entries;
    this.labelled = labelled;
    this.#labels = labels;
    this.#file = file;
    this.#folder = folder;
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
    const bytes = Buffer.allocUnsafeSlow(entry.length);
    await this.#file.read(bytes, 0, entry.length, entry.offset);
    const { feeds, label }: SampleRecord = deserialize(bytes);
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
 * Reads all samples once, holds each against the model's inputs, and stores them.
 * @throws PareError DATA_MISMATCH, DATA_INVALID (no samples, an id twice), NO_SPACE
 */
export async function storeSamples(
  inputs: readonly ValueInfo[],
  raw: RawSamples,
  where: string,
  options: StoreOptions = {},
): Promise<SampleStore> {
  const folder = await temporaryFolder();
  const path = join(folder.path, "samples");
  let file: FileHandle | null = null;
  try {
    file = await open(path, "wx+");
    const { entries, held, labels } = await writeAll(file, path, inputs, raw, options);
    if (entries.length === 0) {
      throw new PareError("DATA_INVALID", `${where} holds no samples.`, {
        where,
        hint: "Check the path, or what the module yields.",
      });
    }
    checkIds(entries, where);
    if (labels > 0 && labels < entries.length) {
      throw new PareError(
        "DATA_INVALID",
        `Only ${labels} of the ${entries.length} samples in ${where} have a label.`,
        {
          where,
          hint: "Give all of them a label, or none.",
        },
      );
    }
    return new SampleStore(entries, held, labels > 0, file, folder);
  } catch (error) {
    await file?.close();
    await folder.dispose();
    throw fileError(error, path, "DATA_INVALID");
  }
}

async function writeAll(
  file: FileHandle,
  path: string,
  inputs: readonly ValueInfo[],
  raw: RawSamples,
  options: StoreOptions,
): Promise<{
  entries: readonly SampleEntry[];
  held: ReadonlyMap<number, unknown>;
  labels: number;
}> {
  const entries: SampleEntry[] = [];
  const held = new Map<number, unknown>();
  let offset = 0;
  let labels = 0;
  for await (const {
    feeds,
    label,
    id = String(entries.length),
    group = null,
    extra = {},
  } of raw.samples) {
    throwIfAborted(options.signal);
    const fitted = fitFeeds(inputs, feeds, id);
    const record: SampleRecord = {
      feeds: plain(fitted.feeds),
      label: label ?? null,
      bare: fitted.bare,
      extra,
    };
    const bytes = serialize(record);
    await file.write(bytes, 0, bytes.length, offset);
    if (serialize(record.label).length <= heldLabelBytes) held.set(entries.length, record.label);
    entries.push({
      id,
      group,
      digest: feedsDigest(fitted.feeds),
      labelDigest: labelDigest(record.label),
      file: path,
      offset,
      length: bytes.length,
    });
    offset += bytes.length;
    if (label !== undefined && label !== null) labels++;
    options.onProgress?.(entries.length, raw.count);
  }
  return { entries, held, labels };
}

function plain(tensors: Tensors): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { type, dims, data }]) => [
      name,
      { type, dims: [...dims], data },
    ]),
  );
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
