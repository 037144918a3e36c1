import { type ErrorCode, errorCodes } from "@pare/runtime/format";
import { exitCodeOf } from "../../cli/src/terminal/failure.js";
import { causes } from "./error-causes.js";

/** What to do, for each code; the error itself says it for the case at hand. */
const remedies: Readonly<Record<ErrorCode, string>> = {
  MODEL_NOT_FOUND: "Check the path, and that the file may be read.",
  MODEL_INVALID:
    "Export the model as ONNX again. Usual causes are a page saved under the model's name, and a Git LFS pointer (`git lfs pull`).",
  MODEL_TRUNCATED: "Copy or download the file again.",
  MODEL_CYCLE: "Export the model again: no engine can order these nodes.",
  MODEL_NAME: "Export the model again: a name in it stands for nothing, or for two things.",
  MODEL_SHAPE:
    "Give `--shape`, `--dim` or `--const` that fit the model, or export it with shapes that hold.",
  MODEL_LIMIT:
    "The message names the limit. What takes 2 GB is quantized first; a model that goes beyond another is most often damaged.",
  MODEL_VERSION: "Export to an operator set that is named in the message.",
  EXTERNAL_DATA: "Put the file of weights where the model was exported, beside it.",
  UNSUPPORTED_OP:
    "`pare inspect` lists it for each target; leave the target out, or export without the operator.",
  PASS_FAILED:
    "A bug in Pare: report it, with the model if you can. Another `--recipe` may go round it; `--no-check` writes what an engine refuses.",
  DIVERGED:
    "Lower `--rate`, and look for samples with numbers that are not finite. The last good weights are in the checkpoint that the message names.",
  ARGUMENT: "`pare <verb> --help` says what there is.",
  RECIPE:
    "The message names the field. A recipe is a preset's name or a JSON or YAML file of steps.",
  LOCK: "Run `optimize` without `--frozen`; it writes a new lock.",
  DATA_NOT_FOUND: "Check the path given to `--data`.",
  DATA_INVALID:
    "Give a folder of images or WAV files, `.npz`, `.safetensors`, `.jsonl`, or a module; write the file again if it is damaged.",
  DATA_MISMATCH:
    "Name arrays as the inputs, with the shapes that `pare inspect` prints; for images choose another `--preprocess`.",
  DATA_MODULE:
    "The message holds what the module threw. `pare data` writes a module that fits the model.",
  LABELS:
    "Choose a `--metric` that fits the labels, or export `metric` or `score` from a data module.",
  BUNDLE_NOT_FOUND:
    "Put the bundle among the static files (in most frameworks the folder named public), and check the address. Of a bundle that is installed as a package Vite's development server, up to 7, moves the module alone: name the package in `optimizeDeps.exclude`.",
  BUNDLE_INVALID: "Copy the bundle again, whole.",
  BUNDLE_VERSION: "Update `@pare/runtime`, or write the bundle with an older `pare`.",
  INTEGRITY:
    "Copy the bundle again, as it is; with `integrity`, pin the manifest that is deployed.",
  GOLDEN: "The variant is refused here and the next one is used. Report it, with the device.",
  NO_VARIANT:
    "No variant was for a backend that was passed. Pass a backend that runs here, and write the bundle for its target.",
  INPUT: "The message names the input, and what it has to be.",
  DISPOSED: "Load the model again, or dispose of it later.",
  ENGINE_MISSING: "Install the engine that the message names; `pare doctor` says how.",
  ENGINE_VERSION:
    "Install 1.22 or later: `npm install onnxruntime-web@latest` or `onnxruntime-node@latest`.",
  ENGINE_NOT_FOUND:
    "Serve the engine's `.wasm` and `.mjs`, and say in `wasmPaths` where. Threads start from the `.mjs`; where a bundler does not emit it, they need `wasmPaths` (in Vite and webpack they do not).",
  ENGINE_PAGE:
    "The address is not the engine's: the server answers with the application's page. Serve the engine's files there, or give `wasmPaths`; in Vite's development server, `optimizeDeps: { exclude: [\"onnxruntime-web\"] }`.",
  ENGINE_POLICY: "Add `'wasm-unsafe-eval'` to `script-src` in the Content-Security-Policy.",
  ENGINE_START:
    "The message holds what the engine said. Try `threads: 1`, as where a policy allows no workers, or another backend.",
  ENGINE_THREADS:
    "Give every model of one page or worker the same `threads`, or load this one in a worker of its own.",
  NOT_ISOLATED:
    "Serve the page with `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`, or leave `threads` out: it takes what there is.",
  ENGINE_ASYNC:
    "Use `run`: only models that were compiled run at once. `model.isSync` says which, and with `backends: aot()` it is every one.",
  ENGINE: "The message holds what the engine said. Try another target.",
  ENGINE_CRASHED:
    "Most often memory. A candidate that crashes its engine is lost, the others go on.",
  UNSUPPORTED_DEVICE: "Write the bundle for a further target; `wasm` runs nearly everywhere.",
  BROWSER_MISSING:
    "On Debian: `apt-get install chromium`. Without one, `aot` and `wasm` are measured inside Node and `webgpu` is skipped.",
  NO_MEMORY: "Close other programs, or use a machine with more memory.",
  NO_SPACE: "Free space where the message says. What was there before is still whole.",
  PERMISSION: "Let this user read or write the path, or give another one with `-o`.",
  BUSY: "Wait until it has ended, or choose another place with `-o`.",
  NETWORK:
    "Check the address and the connection, and load again. A download of which no byte comes for 30 s is given up. Vite's development server answers 403 for a bundle outside the app's folder: name it in `server.fs.allow`.",
  ABORTED: "Nothing: it was asked for. The best complete bundle was kept.",
  BUDGET_MISSED:
    "The best result was written: it is how a command ends, and nothing is thrown (`optimize()` gives what was `missed`). Loosen the budget, give more `--time-budget`, or more data.",
  INTERNAL: "A bug in Pare: report it with what was printed.",
};

/** `errors.md`: every code, what it means, what to do, how the command line ends, and what it often comes from. */
export function errorsPage(): string {
  const rows = Object.entries(errorCodes).map(([code, meaning]) => {
    const known = code as ErrorCode;
    return `| \`${code}\` | ${capital(meaning)}. | ${remedies[known]} | ${exitCodeOf(known)} |`;
  });
  return [
    "# Error codes",
    "",
    "Every error that Pare throws on purpose is a `PareError` with a stable `code`, a `message` that says what and where,",
    "and a `hint` that says what to do. Match on the code; the words may change. The command line prints all three, gives",
    "them as data with `--json`, and ends with the exit code in the last column.",
    "",
    "| code | what it means | what to do | exit |",
    "|---|---|---|---|",
    ...rows,
    "",
    "# What can go wrong",
    "",
    "By code: what it was before, and what helped.",
    "",
    ...Object.keys(errorCodes).flatMap((code) => causesText(code as ErrorCode)),
  ].join("\n");
}

function causesText(code: ErrorCode): readonly string[] {
  const own = causes[code];
  if (own === undefined) return [];
  return [`## ${code}`, "", ...own.map(({ when, cure }) => `- **${when}:** ${cure}`), ""];
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
