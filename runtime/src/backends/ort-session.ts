import type { Artifact } from "../format/engine/artifact.js";
import type { LoadOptions, Session } from "../format/engine/backend.js";
import type { SessionOptions } from "../format/engine/session-options.js";
import type { ValueInfo } from "../format/tensor/value-info.js";
import { isDtype } from "../format/tensor/dtype.js";
import { messageOf, PareError } from "../format/error.js";
import { completeFeeds, withBits } from "../format/tensor/feeds.js";
import type { Feeds, Tensor, Tensors } from "../format/tensor/tensor.js";
import { Queue } from "./queue.js";

/** What Pare uses of onnxruntime; onnxruntime-node and every build of onnxruntime-web export it. */
export type Ort = Pick<typeof import("onnxruntime-web"), "InferenceSession" | "Tensor" | "env">;
type OrtSession = import("onnxruntime-web").InferenceSession;
type OrtOptions = import("onnxruntime-web").InferenceSession.SessionOptions;
type OrtTensor = import("onnxruntime-web").Tensor;

/** Imports an engine when it is first needed. */
export async function importEngine<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new PareError("ENGINE_MISSING", `${name} cannot be loaded: ${messageOf(cause)}`, {
      where: name,
      hint: `Install it: npm install ${name}`,
      cause,
    });
  }
}

/**
 * Creates a session and wraps it. Everything goes through the realm's one queue.
 * @throws PareError ENGINE with the engine's own message; ABORTED
 */
export async function createSession(
  ort: Ort,
  engine: string,
  { format, files, session: wanted }: Artifact,
  engineOptions: OrtOptions,
  { signal }: LoadOptions,
): Promise<Session> {
  if (format !== "onnx")
    throw new PareError("ENGINE", `${engine} loads ONNX files, and this is a ${format} file.`, {
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
  return wrapSession(ort, engine, session);
}

/** In onnxruntime's own words. Nothing else of what a file says reaches the engine's options. */
function sessionOptions({
  graphOptimizationLevel,
  foldDequantize,
  spinning,
}: SessionOptions): OrtOptions {
  const entries = {
    ...(foldDequantize !== undefined && { disable_quant_qdq: foldDequantize ? "1" : "0" }),
    ...(spinning !== undefined && { intra_op: { allow_spinning: spinning ? "1" : "0" } }),
  };
  return {
    ...(graphOptimizationLevel !== undefined && { graphOptimizationLevel }),
    ...(Object.keys(entries).length > 0 && { extra: { session: entries } }),
  };
}

function wrapSession(ort: Ort, engine: string, session: OrtSession): Session {
  const inputs = session.inputMetadata.map(valueInfo);
  const outputs = session.outputMetadata.map(valueInfo);
  let disposed = false;

  const runNow = async (feeds: Feeds): Promise<Tensors> => {
    const tensors: Record<string, OrtTensor> = {};
    for (const [index, tensor] of completeFeeds(inputs, feeds).entries()) {
      const name = inputs[index]?.name ?? "";
      tensors[name] = tensor instanceof ort.Tensor ? tensor : engineTensor(ort, tensor);
    }
    let results: Record<string, unknown>;
    try {
      results = await session.run(tensors);
    } catch (cause) {
      throw engineError(engine, "failed in a run", cause);
    }
    const out: Record<string, Tensor> = {};
    for (const { name } of outputs) out[name] = ownTensor(results[name] as OrtTensor);
    return out;
  };

  return {
    inputs,
    outputs,
    run(feeds, signal) {
      if (disposed)
        return Promise.reject(new PareError("DISPOSED", "The model was already disposed of."));
      return queue().run(() => runNow(feeds), signal);
    },
    async dispose() {
      if (disposed) return;
      disposed = true;
      await queue().run(() => session.release());
    },
  };
}

let realmQueue: Queue | undefined;
function queue(): Queue {
  return (realmQueue ??= new Queue());
}

function engineTensor(ort: Ort, tensor: Tensor): OrtTensor {
  const Tensor = ort.Tensor as unknown as new (
    type: string,
    data: unknown,
    dims: readonly number[],
  ) => OrtTensor;
  return new Tensor(tensor.type, tensor.data, tensor.dims);
}

function ownTensor(tensor: OrtTensor): Tensor {
  return withBits({ type: tensor.type, dims: tensor.dims, data: tensor.data });
}

function valueInfo(metadata: import("onnxruntime-web").InferenceSession.ValueMetadata): ValueInfo {
  if (!metadata.isTensor || !isDtype(metadata.type)) {
    throw new PareError(
      "ENGINE",
      `"${metadata.name}" is not a tensor: sequences, maps and optionals cannot be passed.`,
      { where: metadata.name },
    );
  }
  const dims = metadata.shape.map((dim) =>
    typeof dim === "string" ? dim || null : dim >= 0 && dim < 2 ** 31 ? dim : null,
  );
  return { name: metadata.name, type: metadata.type, dims };
}

/** Emscripten throws a C++ exception that nobody caught as a number; on this path it is a failed allocation. */
function engineError(engine: string, what: string, cause: unknown): PareError {
  const outOfMemory =
    typeof cause === "number" ||
    /bad_alloc|out of memory|failed to allocate|allocation failed/i.test(messageOf(cause));
  return new PareError(
    outOfMemory ? "NO_MEMORY" : "ENGINE",
    `${engine} ${what}: ${messageOf(cause)}`,
    {
      where: engine,
      cause,
      ...(outOfMemory && { hint: "Use a smaller input or batch, or a smaller variant." }),
    },
  );
}
