import type { Probe } from "../format/engine/backend.js";
import { isPareError, messageOf, PareError } from "../format/error.js";

/** What Pare uses of onnxruntime; onnxruntime-node and every build of onnxruntime-web export it. */
export type Ort = Pick<typeof import("onnxruntime-web"), "InferenceSession" | "Tensor" | "env">;
export type OrtSession = import("onnxruntime-web").InferenceSession;
export type OrtOptions = import("onnxruntime-web").InferenceSession.SessionOptions;
export type OrtTensor = import("onnxruntime-web").Tensor;

/** Of onnxruntime 1: the first that says what a model's inputs and outputs are. */
const leastMinor = 22;

/**
 * Imports an engine when it is first needed.
 * @throws PareError ENGINE_MISSING, ENGINE_VERSION
 */
export async function importEngine(name: string, load: () => Promise<Ort>): Promise<Ort> {
  let ort: Ort;
  try {
    ort = await load();
  } catch (cause) {
    throw new PareError("ENGINE_MISSING", `${name} cannot be loaded: ${messageOf(cause)}`, {
      where: name,
      hint: /ServiceWorker/.test(messageOf(cause))
        ? "Use a worker, or aot."
        : `Install it: npm install ${name}`,
      cause,
    });
  }
  const version = ort.env.versions.common;
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 1 || minor >= leastMinor) return ort;
  throw new PareError("ENGINE_VERSION", `${name} ${version} is too old.`, {
    where: name,
    hint: `Install 1.${leastMinor} or later: npm install ${name}@latest`,
  });
}

/** @param device said after the version, where it matters */
export function engineName(name: string, { env }: Ort, device = ""): string {
  const { web, node, common } = env.versions;
  return `${name} ${web ?? node ?? common}${device}`;
}

/** What is found, or why nothing is. */
export async function probed(
  find: () => Promise<Omit<Extract<Probe, { ok: true }>, "ok">>,
): Promise<Probe> {
  try {
    return { ok: true, ...(await find()) };
  } catch (error) {
    return { ok: false, why: messageOf(error), ...(isPareError(error) && { error }) };
  }
}
