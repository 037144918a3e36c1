import { open } from "node:fs/promises";
import { serialize } from "node:v8";
import { messageOf, PareError, type Sequences, type Tensors } from "@pare/runtime/format";
import { fileError } from "../platform/file-error.js";
import { feedsDigest, fieldsDigest, labelDigest, textDigest } from "./digests.js";
import { fitFeeds } from "./fit-feeds.js";
import { GatheredWrites } from "./gathered-writes.js";
import { holdsOddNumbers } from "./odd-numbers.js";
import type { RawSample, SampleModel } from "./raw-sample.js";
import { withoutConstants } from "./without-constants.js";
import { zeroState } from "./zero-state.js";

/** Where a stored sample lies, so that the module's process reads it from disk instead of being sent it again. */
export interface StoredAt {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
  readonly id: string;
  readonly group: string | null;
}

/** What is known of a sample without reading it. */
export interface SampleEntry extends StoredAt {
  /** Of its feeds: equal digests are equal feeds. */
  readonly digest: string;
  readonly labelDigest: string;
  /** Of its further fields, which its score may depend on; null where it has none. */
  readonly extraDigest: string | null;
  readonly labelled: boolean;
  /** The sequence that it is a step of, by its id; null where it is a run of its own. */
  readonly sequence: string | null;
}

type Step = Pick<SampleEntry, "sequence">;

/** Whether it is a step behind the sample before it. */
export function follows(before: Step, { sequence }: Step): boolean {
  return sequence !== null && sequence === before.sequence;
}

/** A stored sample's record on disk. `bare` names the feeds that were given without type and dims. */
export interface SampleRecord {
  readonly feeds: Tensors;
  readonly label: unknown;
  readonly bare: readonly string[];
  readonly extra: Readonly<Record<string, unknown>>;
}

export interface WrittenSample {
  readonly entry: SampleEntry;
  /** The label, where it is small: larger ones are read with their sample. */
  readonly held: { readonly label: unknown } | null;
  /** Whether its feeds hold NaN or infinity. */
  readonly isOdd: boolean;
  /** Of its feeds. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
}

const heldLabelBytes = 1024;

/**
 * Holds samples against the model's inputs and writes them to a new file, one after the other, in whichever process they
 * come about. The last of them may be in it only when all were yielded.
 * @param state inputs that a sequence goes on with, by output: where a sample does not give them, they are zeros
 * @throws PareError DATA_MISMATCH, DATA_MODULE, NO_SPACE
 */
export async function* writeSamples(
  path: string,
  { inputs, constants = {} }: SampleModel,
  samples: AsyncIterable<RawSample>,
  state: Sequences["state"] = {},
): AsyncGenerator<WrittenSample, void, undefined> {
  const file = await orFileError(path, () => open(path, "wx"));
  try {
    const writes = new GatheredWrites(file);
    const start = zeroState(inputs, Object.values(state));
    let count = 0;
    let before: { readonly sequence: string | null; readonly digest: string } | null = null;
    for await (const raw of samples) {
      const { feeds, label, id = String(count), group = null, sequence = null, extra = {} } = raw;
      const fitted = fitFeeds(inputs, { ...start, ...withoutConstants(feeds, constants, id) }, id);
      const own = feedsDigest(fitted.feeds);
      // What a step says depends on all before it.
      const digest: string =
        before !== null && follows(before, { sequence })
          ? textDigest(JSON.stringify([before.digest, own, state]))
          : own;
      before = { sequence, digest };
      const record: SampleRecord = {
        feeds: plain(fitted.feeds),
        label: label ?? null,
        bare: fitted.bare,
        extra,
      };
      const bytes = serialized(record, id);
      const offset = await orFileError(path, () => writes.append(bytes));
      const isSmall = serialize(record.label).length <= heldLabelBytes;
      yield {
        entry: {
          id,
          group,
          digest,
          labelDigest: labelDigest(record.label),
          extraDigest: Object.keys(extra).length === 0 ? null : fieldsDigest(extra),
          labelled: record.label !== null,
          sequence,
          file: path,
          offset,
          length: bytes.length,
        },
        held: isSmall ? { label: record.label } : null,
        isOdd: holdsOddNumbers(fitted.feeds),
        shapes: Object.fromEntries(
          Object.entries(record.feeds).map(([name, { dims }]) => [name, dims]),
        ),
      };
      count += 1;
    }
    await orFileError(path, () => writes.flush());
  } finally {
    await file.close();
  }
}

/** @throws PareError DATA_MODULE: only a module can hold anything */
function serialized(record: SampleRecord, id: string): Uint8Array {
  try {
    return serialize(record);
  } catch (cause) {
    throw new PareError(
      "DATA_MODULE",
      `Sample "${id}" holds what cannot be stored: ${messageOf(cause)}`,
      { hint: "Give numbers, text, arrays and plain objects.", cause },
    );
  }
}

async function orFileError<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileError(error, path, "DATA_INVALID");
  }
}

function plain(tensors: Tensors): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { type, dims, data }]) => [
      name,
      { type, dims: [...dims], data },
    ]),
  );
}
