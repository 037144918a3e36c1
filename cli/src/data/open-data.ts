import { stat } from "node:fs/promises";
import { extname } from "node:path";
import type { ScoringHooks } from "@pare/bench";
import { shownPath } from "../terminal/shown-path.js";
import { PareError, type SampleInfo, type Sequences } from "@pare/runtime/format";
import { fileError } from "../platform/file-error.js";
import { DataModule } from "./data-module.js";
import type { ModuleOptions } from "./module-process.js";
import { demandLabels } from "./demand-labels.js";
import { oddText } from "./odd-numbers.js";
import type { RawSamples, SampleModel } from "./raw-sample.js";
import { type SampleStore, storeSamples, type StoreOptions } from "./sample-store.js";
import { writeSamples, type WrittenSample } from "./sample-writer.js";
import { splitAsExported, splitBySeed, type SplitPurpose, type Splits } from "./splits.js";

/** The user's data, read once: samples by index, their splits, and what a module brings to score with. */
export interface OpenData {
  readonly source: string;
  readonly samples: SampleStore;
  readonly splits: Splits;
  readonly hooks: ScoringHooks;
  readonly seed: number;
  readonly caveat: string | null;
  /** Folders' subfolders became labels: nobody said that they are any. */
  readonly labelsAreFolders: boolean;
  dispose(): Promise<void>;
}

export interface OpenDataOptions extends StoreOptions, ModuleOptions, SampleModel {
  /** `--preprocess`, for images. */
  readonly preprocess?: string;
  readonly seed: number;
  /** How samples are shared out where the data does not say; for measuring where not given. */
  readonly purpose?: SplitPurpose;
}

/**
 * Opens what `--data` names: a folder of images or of WAV files, .npz, .npy, .safetensors, .jsonl, or an ES module.
 * @throws PareError DATA_NOT_FOUND, DATA_INVALID, DATA_MISMATCH, DATA_MODULE
 */
export async function openData(path: string, options: OpenDataOptions): Promise<OpenData> {
  const stats = await stat(path).catch((cause: unknown) => {
    throw fileError(cause, path, "DATA_NOT_FOUND");
  });
  if (stats.isDirectory()) return openFolder(path, options);
  const extension = extname(path).toLowerCase();
  if (options.preprocess !== undefined) {
    throw new PareError(
      "ARGUMENT",
      `--preprocess is for a folder of images, but ${path} is a file.`,
      {
        where: "--preprocess",
        hint: "Leave it out: the data already holds what the model takes.",
      },
    );
  }
  switch (extension) {
    case ".npz":
      return collect(path, await (await import("./npz.js")).readNpz(path, options.inputs), options);
    case ".npy":
      return collect(path, await (await import("./npz.js")).readNpy(path, options.inputs), options);
    case ".safetensors":
      return collect(
        path,
        await (await import("./safetensors.js")).readSafetensors(path, options.inputs),
        options,
      );
    case ".jsonl":
    case ".ndjson":
      return collect(
        path,
        await (await import("./jsonl.js")).readJsonl(path, options.inputs),
        options,
      );
    case ".js":
    case ".mjs":
    case ".cjs":
      return openModule(path, options);
    default:
      throw new PareError("DATA_INVALID", `${path} is of no kind that can be read as data.`, {
        where: path,
        hint: "Data is a folder of images or of WAV files, .npz, .npy, .safetensors, .jsonl, or a module (.mjs, .js): pare data <model> writes one.",
      });
  }
}

async function openFolder(path: string, options: OpenDataOptions): Promise<OpenData> {
  const [{ kindsIn }, { readSoundFolder, sounds }, { images }] = await Promise.all([
    import("./labelled-files.js"),
    import("./sound-folder.js"),
    import("./image-folder.js"),
  ]);
  const kinds = await kindsIn(path, [sounds, images]);
  if (kinds.includes(sounds)) {
    if (kinds.includes(images))
      throw new PareError("DATA_INVALID", `${path} holds images and WAV files: which are meant?`, {
        where: path,
        hint: "Move the others elsewhere.",
      });
    if (options.preprocess !== undefined)
      throw new PareError(
        "ARGUMENT",
        "--preprocess is for images, and the folder holds WAV files.",
        {
          where: "--preprocess",
          hint: "Leave it out: a sound is fed as it is, from -1 to 1.",
        },
      );
    return collect(path, await readSoundFolder(path, options.inputs), options, true);
  }
  const [{ choosePreprocess }, { readImageFolder }] = await Promise.all([
    import("./choose-preprocess.js"),
    import("./image-folder.js"),
  ]);
  const [input] = options.inputs;
  const { preprocess, caveat } = await choosePreprocess(path, options.preprocess, input);
  const read = await readImageFolder(path, options.inputs, preprocess);
  return collect(path, { ...read, caveat: () => caveat }, options, true);
}

async function openModule(path: string, options: OpenDataOptions): Promise<OpenData> {
  const module = await DataModule.open(path, options);
  try {
    const { splits, state } = module.description;
    let store: SampleStore | null = null;
    const hooks = hooksOf(module, (id) => (store === null ? null : store.find(id)));
    const write = (file: string): AsyncIterable<WrittenSample> =>
      module.samples(file, modelOf(options));
    const data = await collectWritten(path, null, write, options, { hooks, splits, state });
    store = data.samples;
    return {
      ...data,
      async dispose() {
        module.dispose();
        await data.dispose();
      },
    };
  } catch (error) {
    module.dispose();
    throw error;
  }
}

function hooksOf(
  module: DataModule,
  find: (id: string) => ReturnType<SampleStore["find"]> | null,
): ScoringHooks {
  const { predicts, scores, metric } = module.description;
  const at = (sample: SampleInfo): ReturnType<SampleStore["find"]> => {
    const found = find(sample.id);
    if (found === null)
      throw new PareError("INTERNAL", `Sample "${sample.id}" is asked about before all are read.`);
    return found;
  };
  return {
    ...(predicts && {
      predict: (outputs, sample) =>
        module.call({ kind: "predict", outputs: outputs, sample: at(sample) }),
    }),
    ...(scores && {
      score: (outputs, sample, float) =>
        module.call({ kind: "score", outputs, sample: at(sample), float }),
    }),
    ...(metric !== null && {
      metric: {
        ...metric,
        reduce: async (predictions, labels, picks) => [
          ...(await module.call({ kind: "reduce", predictions, labels, picks })),
        ],
      },
    }),
  };
}

function collect(
  path: string,
  { count, samples, caveat }: RawSamples,
  options: OpenDataOptions,
  labelsAreFolders = false,
): Promise<OpenData> {
  const write = (file: string): AsyncIterable<WrittenSample> =>
    writeSamples(file, options, samples);
  return collectWritten(path, count, write, options, {
    ...(caveat && { caveat }),
    labelsAreFolders,
  });
}

/** What of the options goes to another process. */
function modelOf({ inputs, constants }: SampleModel): SampleModel {
  return { inputs, ...(constants && { constants }) };
}

/** What is known of data beside its samples. */
interface Described {
  readonly hooks?: ScoringHooks;
  /** As a module exports them; null where it does not. */
  readonly splits?: unknown;
  readonly state?: Sequences["state"] | null;
  readonly caveat?: RawSamples["caveat"];
  readonly labelsAreFolders?: boolean;
}

async function collectWritten(
  path: string,
  count: number | null,
  write: (file: string) => AsyncIterable<WrittenSample>,
  options: OpenDataOptions,
  {
    hooks = {},
    splits: exported = null,
    state = null,
    caveat = () => null,
    labelsAreFolders = false,
  }: Described,
): Promise<OpenData> {
  const samples = await storeSamples(write, count, path, options, state);
  try {
    const splits =
      exported === null
        ? splitBySeed(samples.entries, options.seed, options.purpose)
        : splitAsExported(samples.entries, exported, path);
    demandLabels(samples.entries, splits, path);
    const odd = oddText(samples.odd, samples.size);
    const caveats = [caveat(), odd, splits.caveat].filter((each) => each !== null);
    return {
      source: shownPath(path),
      samples,
      splits,
      hooks,
      seed: options.seed,
      caveat: caveats.length === 0 ? null : caveats.join(" "),
      labelsAreFolders,
      dispose: () => samples.dispose(),
    };
  } catch (error) {
    await samples.dispose();
    throw error;
  }
}
