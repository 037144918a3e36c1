import { openSync, readSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { deserialize } from "node:v8";
import { endWithParent } from "@pare/bench/end-with-parent";
import { isPareError, type Sequences } from "@pare/runtime/format";
import type {
  ModuleCall,
  ModuleDescription,
  ModuleProblem,
  ModuleReplies,
  ModuleReply,
  ModuleRequest,
} from "./module-protocol.js";
import { kindOf, ModuleFault, samplesOf, ThrownByModule } from "./module-samples.js";
import {
  type SampleRecord,
  type StoredAt,
  writeSamples,
  type WrittenSample,
} from "./sample-writer.js";

// The process of its own that a data module runs in: it may bring another onnxruntime, print, crash or hang.

/** The channel is this program's: what a module finds is a process without one, as it would be by itself. */
const sendToParent = process.send?.bind(process);
Object.defineProperty(process, "send", { value: undefined, configurable: true, writable: true });

const batch = { samples: 256, milliseconds: 200 };

let exports: Readonly<Record<string, unknown>> = {};
let moduleUrl = "";
let written: AsyncIterator<WrittenSample> | null = null;
const descriptors = new Map<string, number>();

async function open(url: string): Promise<ModuleDescription> {
  moduleUrl = url;
  exports = await import(url);
  const { samples, splits, metric, predict, score } = exports;
  if (samples === undefined) {
    throw new ModuleFault(
      "It does not export `samples`.",
      "`pare data <model>` writes a module to fill in.",
    );
  }
  for (const [name, hook] of Object.entries({ predict, score })) {
    if (hook !== undefined && typeof hook !== "function")
      throw new ModuleFault(`\`${name}\` is ${kindOf(hook)}, not a function.`);
  }
  return {
    splits: splits ?? null,
    metric: metric === undefined ? null : describeMetric(metric),
    state: exports.state === undefined ? null : describeState(exports.state),
    predicts: predict !== undefined,
    scores: score !== undefined,
  };
}

function describeState(given: unknown): Sequences["state"] {
  const entries = Object.entries(Object(given));
  const named = entries.filter((entry): entry is [string, string] => typeof entry[1] === "string");
  const inputs = new Set(named.map(([, input]) => input));
  if (entries.length === 0 || named.length < entries.length || inputs.size < named.length)
    throw new ModuleFault(
      "`state` is not usable.",
      'Export { outputName: "inputName" }: what an output gives is that input at the next step.',
    );
  return Object.fromEntries(named);
}

function describeMetric(metric: unknown): ModuleDescription["metric"] {
  const { name, direction, reduce } = Object(metric);
  if (
    typeof name !== "string" ||
    (direction !== "higher" && direction !== "lower") ||
    typeof reduce !== "function"
  ) {
    throw new ModuleFault(
      "`metric` is not usable.",
      'Export { name, direction: "higher" | "lower", reduce(predictions, labels) }.',
    );
  }
  return { name, direction };
}

async function next(): Promise<ModuleReplies["next"]> {
  const samples: WrittenSample[] = [];
  const start = performance.now();
  while (samples.length < batch.samples && performance.now() - start < batch.milliseconds) {
    const result = await written?.next();
    if (result === undefined || result.done === true) return { samples, done: true };
    samples.push(result.value);
  }
  return { samples, done: false };
}

function readSample({ file, offset, length, id, group }: StoredAt): unknown {
  const descriptor = descriptors.get(file) ?? openSync(file, "r");
  descriptors.set(file, descriptor);
  const bytes = Buffer.allocUnsafeSlow(length);
  readSync(descriptor, bytes, 0, length, offset);
  const { feeds, label, bare, extra }: SampleRecord = deserialize(bytes);
  const given = Object.entries(feeds).map(([name, tensor]) => [
    name,
    bare.includes(name) ? tensor.data : tensor,
  ]);
  return {
    ...extra,
    feeds: Object.fromEntries(given),
    label,
    id,
    ...(group !== null && { group }),
  };
}

async function answer(request: ModuleRequest): Promise<unknown> {
  switch (request.kind) {
    case "open":
      return open(request.url);
    case "store":
      written = writeSamples(
        request.file,
        request.model,
        samplesOf(exports["samples"]),
        exports.state === undefined ? {} : describeState(exports.state),
      );
      return null;
    case "next":
      return next();
    case "predict":
      return call("predict", request.outputs, readSample(request.sample));
    case "score":
      return call("score", request.outputs, readSample(request.sample), request.float);
    case "reduce": {
      const { predictions, labels, picks } = request;
      const values: number[] = [];
      for (const pick of picks) {
        const positions = Array.from(pick);
        const reduce: unknown = Object(exports.metric).reduce;
        if (typeof reduce !== "function") throw new ModuleFault("`metric.reduce` is gone.");
        const value: unknown = await reduce.call(
          exports.metric,
          positions.map((at) => predictions[at]),
          positions.map((at) => labels[at]),
        );
        if (typeof value !== "number")
          throw new ModuleFault(`metric.reduce() returned ${kindOf(value)}, not a number.`);
        values.push(value);
      }
      return values;
    }
    default:
      return request satisfies never;
  }
}

function call(name: "predict" | "score", ...values: readonly unknown[]): unknown {
  const hook = exports[name];
  if (typeof hook !== "function") throw new ModuleFault(`It does not export \`${name}\`.`);
  return hook(...values);
}

function problemOf(thrown: unknown): ModuleProblem {
  const error = thrown instanceof ThrownByModule ? thrown.cause : thrown;
  // Its own errors may have codes too: those are words of the module's.
  if (error === thrown && isPareError(error)) {
    const { code, message, where = null, hint = null } = error;
    return { code, message, where, hint, syntax: false };
  }
  const fault = error instanceof ModuleFault ? error : null;
  const own = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    code: null,
    message: fault?.message ?? own,
    where: error instanceof Error && fault === null ? lineOf(error) : null,
    hint: fault?.hint ?? null,
    syntax: error instanceof SyntaxError,
  };
}

/** The topmost line of the stack that is the module's own. */
function lineOf(error: Error): string | null {
  const own = (error.stack ?? "").split("\n").find((line) => line.includes(moduleUrl));
  const position = own
    ?.slice(own.indexOf(moduleUrl) + moduleUrl.length)
    .match(/(?:\?[^:]*)?(:\d+:\d+)/)?.[1];
  return position === undefined ? null : fileURLToPath(moduleUrl) + position;
}

function send(reply: ModuleReply): void {
  try {
    sendToParent?.(reply);
  } catch (error) {
    const problem = problemOf(
      new ModuleFault(
        `What it returned cannot be passed between processes: ${String(error)}`,
        "Return numbers, text, arrays and plain objects.",
      ),
    );
    sendToParent?.({ id: reply.id, ok: false, problem } satisfies ModuleReply);
  }
}

process.on("message", (message: ModuleCall) => {
  const { id, request } = message;
  void Promise.resolve()
    .then(() => answer(request))
    .then(
      (value) => send({ id, ok: true, value }),
      (error: unknown) => send({ id, ok: false, problem: problemOf(error) }),
    );
});
process.on("disconnect", () => process.exit());
void endWithParent(); // a module that loops never hears of it
process.on("SIGINT", () => undefined); // Ctrl-C reaches the whole group: the parent decides
