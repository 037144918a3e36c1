import type { Artifact } from "../format/engine/artifact.js";
import type { LoadOptions, Session } from "../format/engine/backend.js";
import type { SessionOptions } from "../format/engine/session-options.js";
import type { ValueInfo } from "../format/tensor/value-info.js";
import { isDtype, type TypedArray } from "../format/tensor/dtype.js";
import { messageOf, PareError } from "../format/error.js";
import { completeFeeds, withBits } from "../format/tensor/feeds.js";
import {
  bytesOf,
  copyOf,
  dimsFit,
  type Feeds,
  isTypedArray,
  type Tensor,
  type Tensors,
} from "../format/tensor/tensor.js";
import { openAsyncStream } from "./async-stream.js";
import type { Ort, OrtOptions, OrtSession, OrtTensor } from "./ort.js";
import { Queue } from "./queue.js";

/**
 * Creates a session and wraps it. Everything goes through the realm's one queue.
 * @param wrap what makes ours of the engine's
 * @throws PareError ENGINE with the engine's own message; ABORTED
 */
export async function createSession(
  ort: Ort,
  engine: string,
  { format, files, session: wanted }: Artifact,
  engineOptions: OrtOptions,
  { signal }: LoadOptions,
  wrap = wrapSession,
): Promise<Session> {
  if (format !== "onnx")
    throw new PareError("ENGINE", `${engine} loads no ${format} files.`, {
      where: engine,
    });
  const [model, ...external] = files;
  const all: OrtOptions = {
    logSeverityLevel: 4, // what it would print comes with the error
    ...engineOptions,
    ...sessionOptions(wanted),
    ...(external.length > 0 && {
      externalData: external.map(({ name, bytes }) => ({ path: name, data: bytes })),
    }),
  };
  const create = async (): Promise<OrtSession> => {
    try {
      return await ort.InferenceSession.create(model.bytes, all);
    } catch (cause) {
      throw engineError(engine, "refused the model", cause);
    }
  };
  const session = await queue().run(create, signal, (late) => void late.release());
  try {
    return wrap(ort, engine, session);
  } catch (error) {
    await queue().run(() => session.release());
    throw error;
  }
}

/** In onnxruntime's own words. Nothing else of what a file says reaches the engine's options. */
function sessionOptions({
  graphOptimizationLevel,
  foldDequantize,
  spinning,
  memoryPattern,
}: SessionOptions): OrtOptions {
  const session: Record<string, unknown> = {};
  if (foldDequantize !== undefined) session["disable_quant_qdq"] = foldDequantize ? "1" : "0";
  if (spinning !== undefined) session["intra_op"] = { allow_spinning: spinning ? "1" : "0" };
  return {
    ...(graphOptimizationLevel && { graphOptimizationLevel }),
    ...(memoryPattern !== undefined && { enableMemPattern: memoryPattern }),
    extra: { session },
  };
}

export function wrapSession(ort: Ort, engine: string, session: OrtSession): Session {
  const inputs = session.inputMetadata.map(valueInfo);
  const outputs = session.outputMetadata.map(valueInfo);
  let disposed = false;

  /** Inputs of the last run, filled again where they fit: to make an array costs more than to copy into it. */
  const spare = new Map<string, OrtTensor>();
  const Copy = ort.Tensor as unknown as new (
    type: string,
    data: unknown,
    dims: readonly number[],
  ) => OrtTensor;
  const copied = (name: string, { type, data, dims }: Tensor): OrtTensor => {
    const old = spare.get(name);
    spare.delete(name);
    // Empty is also what a worker of the engine's took away (`env.wasm.proxy`).
    if (!old?.data.length || !isTypedArray(data) || !dimsFit(old.dims, dims))
      return new Copy(type, copyOf(data), [...dims]);
    bytesOf(old.data as TypedArray).set(bytesOf(data));
    return old;
  };

  const copiesOf = (feeds: Feeds): Record<string, OrtTensor> => {
    if (disposed) throw new PareError("DISPOSED", "The model was already disposed of.");
    const own: Record<string, OrtTensor> = {};
    completeFeeds(inputs, feeds).forEach((tensor, index) => {
      const { name } = inputs[index] as ValueInfo;
      own[name] = copied(name, tensor);
    });
    return own;
  };

  const runNow = async (feeds: Record<string, OrtTensor>): Promise<Tensors> => {
    let results: Record<string, unknown>;
    try {
      results = await session.run(feeds);
    } catch (cause) {
      throw engineError(engine, "failed in a run", cause);
    }
    for (const name in feeds) spare.set(name, feeds[name] as OrtTensor);
    const out: Record<string, Tensor> = {};
    for (const { name } of outputs) out[name] = ownTensor(results[name] as OrtTensor);
    return out;
  };

  return {
    inputs,
    outputs,
    // Engines read inputs later, and a run may wait for others: what the caller passed is its own again at once.
    async run(feeds, signal) {
      const own = copiesOf(feeds);
      return queue().run(() => runNow(own), signal);
    },
    stream: (state) =>
      openAsyncStream({ inputs, outputs }, state, queue(), async (feeds) =>
        runNow(copiesOf(feeds)),
      ),
    async dispose() {
      if (disposed) return;
      disposed = true;
      await queue().run(() => session.release());
    },
  };
}

let realmQueue: Queue | undefined;
export function queue(): Queue {
  return (realmQueue ??= new Queue());
}

export function ownTensor({ type, dims, data }: OrtTensor): Tensor {
  return withBits({ type, dims, data });
}

function valueInfo(metadata: import("onnxruntime-web").InferenceSession.ValueMetadata): ValueInfo {
  // The engine, and what is above, assigns values to plain objects, which have no place for one of that name.
  if (!metadata.isTensor || !isDtype(metadata.type) || metadata.name === "__proto__")
    throw new PareError("ENGINE", `"${metadata.name}" is no tensor.`);
  // Of a free dim without a name engines say −1, with a sign or without.
  const dims = metadata.shape.map((dim) =>
    typeof dim === "string" ? dim || null : dim >>> 31 ? null : dim,
  );
  return { name: metadata.name, type: metadata.type, dims };
}

/** Emscripten throws a C++ exception that nobody caught as a number; on this path it is a failed allocation. */
export function engineError(engine: string, what: string, cause: unknown): PareError {
  const outOfMemory =
    typeof cause === "number" ||
    /bad_alloc|out of memory|to allocate|allocation failed/i.test(messageOf(cause));
  return new PareError(
    outOfMemory ? "NO_MEMORY" : "ENGINE",
    `${engine} ${what}: ${messageOf(cause)}`,
    {
      where: engine,
      cause,
      ...(outOfMemory && { hint: "Use a smaller input or variant." }),
    },
  );
}
