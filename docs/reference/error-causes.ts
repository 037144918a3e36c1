import type { ErrorCode } from "@pare/runtime/format";

/** What was behind an error, and what helped. */
export interface Cause {
  /** What is seen, or where it comes from. */
  readonly when: string;
  readonly cure: string;
}

/** Of codes whose one sentence in the table leaves open what happened. */
export const causes: Readonly<Partial<Record<ErrorCode, readonly Cause[]>>> = {
  MODEL_INVALID: [
    {
      when: "The message names a Git LFS pointer",
      cure: "the repository was cloned without its large files: `git lfs pull`.",
    },
    {
      when: "The file is some kilobytes, and begins with `<`",
      cure: "a host answered with a page, to log in or to say that there is nothing: download it again, and look at the status.",
    },
    {
      when: "It is a `.pt`, `.h5`, `.tflite` or `.safetensors` file",
      cure: "export the model to ONNX with the framework that trained it.",
    },
  ],
  EXTERNAL_DATA: [
    {
      when: "The model was moved without the file of its weights (`model.onnx_data`, `model.onnx.data`)",
      cure: "put both into one folder, under the names that they had.",
    },
    {
      when: "It leads through a symbolic link, as in the cache of a model hub",
      cure: "copy the files themselves: `cp -L`. Links are not followed, because a model is a stranger's file.",
    },
  ],
  MODEL_SHAPE: [
    {
      when: "A dim is free, and the model needs one size",
      cure: "give it: `--dim sequence=128`, or the whole shape: `--shape images=1x3x640x640`. `pare inspect` names them.",
    },
  ],
  MODEL_VERSION: [
    {
      when: "`convert` asks for an opset in which an operator has no words",
      cure: "the message names the operator and the oldest opset that has it: ask for that one or a later one.",
    },
  ],
  UNSUPPORTED_OP: [
    {
      when: "The operator is of a domain other than `ai.onnx`, and not among those that are taken",
      cure: "where the model was optimized for one engine before, start from the file that the framework exported.",
    },
  ],
  ARGUMENT: [
    {
      when: "`--max-drop` or `--metric` without `--data`",
      cure: "nothing can be measured: add `--data`, or leave them out.",
    },
    {
      when: "A budget in `pare.config.json` seems to be ignored",
      cure: "the file counts in the current folder and beside the model, and models are named in it by path or by name.",
    },
  ],
  DATA_MISMATCH: [
    {
      when: "Dims are in another order",
      cure: "images as [height, width, channels] go into [channels, height, width] only when they are transposed: let `--preprocess` do it, or a data module.",
    },
    {
      when: "There is one dim too few",
      cure: "samples of `.npz` lie along the first axis; a sample keeps a first dim of 1 where the model's input has it.",
    },
  ],
  DATA_MODULE: [
    {
      when: "Samples come from an iterator that can be read once",
      cure: "export a function that gives a new one: `export function* samples() { … }`.",
    },
    {
      when: "The module does not find its own files",
      cure: 'paths count from the current folder: `new URL("./labels.json", import.meta.url)` counts from the module.',
    },
  ],
  LABELS: [
    {
      when: "Accuracy is near chance, and there is no error",
      cure: "folders are labels in sorted order (`10` comes before `2`): name them so that they sort as the model's outputs do, or give labels in a data module.",
    },
  ],
  BUNDLE_NOT_FOUND: [
    {
      when: "The address answers with the application's own page",
      cure: "the bundle is not among the static files, or the address lacks the base path of the site.",
    },
  ],
  INTEGRITY: [
    {
      when: "It worked before the bundle went through git or a host",
      cure: "something rewrote a file, line ends mostly: mark the folder in `.gitattributes` (`*.pare/** -text`), and turn off what minifies.",
    },
  ],
  GOLDEN: [
    {
      when: "One device only, and an integer file for `cpu`",
      cure: "its weights have 8 bits and the processor's products saturate: leave `reduceRange` at its default, which gives them seven.",
    },
  ],
  NO_VARIANT: [
    {
      when: "The bundle was written for other targets than the backends that `load` is given",
      cure: "`pare inspect model.pare` lists its variants: write it again with `--target`, or pass the backend.",
    },
    {
      when: "The engine's `.wasm` file is not where it is looked for",
      cure: "the error's `cause` says which address was tried; [in a browser](../guides/in-a-browser.md) says what bundlers need.",
    },
  ],
  ENGINE_MISSING: [
    {
      when: "`cpu` on linux/x64, and the installation failed while it fetched GPU libraries",
      cure: "`ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node`.",
    },
  ],
  ENGINE_CRASHED: [
    {
      when: "A Node process ends without an error while a worker thread is terminated",
      cure: "that is onnxruntime-node in the middle of a run: [in Node](../guides/in-node.md) says how to stop one.",
    },
  ],
  BROWSER_MISSING: [
    {
      when: "There is one, at an unusual place",
      cure: "name its program in `PARE_CHROMIUM`.",
    },
  ],
  BUSY: [
    {
      when: "No other process is there, and the last one was killed",
      cure: "its lock goes stale by itself in ten minutes; the message names the file to remove before.",
    },
  ],
  BUDGET_MISSED: [
    {
      when: "The drop is over the budget, and its interval reaches below it",
      cure: "in `optimize` the point decides: give it more test samples. `bench --gate` misses only where the whole interval is over.",
    },
    {
      when: "`bench --gate` misses the size by a few bytes",
      cure: "bytes are counted exactly, so that nothing is within noise: the file is another one.",
    },
  ],
};
