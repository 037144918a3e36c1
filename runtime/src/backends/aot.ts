import type { Artifact } from "../format/engine/artifact.js";
import type { Backend, LoadOptions, Probe, Session } from "../format/engine/backend.js";
import { messageOf, PareError, throwIfAborted } from "../format/error.js";
import { moduleSession } from "./aot-session.js";

const engine = "WebAssembly";

/**
 * The `aot` target: models that are WebAssembly modules of their own. There is no engine: this chooses the module for
 * what the device can do, gives it its weights and its inputs, and runs it.
 */
export function aot(): Backend {
  return { target: "aot", engine, probe: async () => probe(), load };
}

function probe(): Probe {
  if (typeof WebAssembly === "undefined") return { ok: false, why: "there is no WebAssembly here" };
  if (!WebAssembly.validate(moduleOf(false)))
    return { ok: false, why: "WebAssembly has no SIMD here" };
  return { ok: true, engine: `${engine} (${hasRelaxedSimd() ? "relaxed SIMD" : "SIMD"})` };
}

/** @throws PareError ENGINE, ENGINE_POLICY, NO_MEMORY, ABORTED */
async function load({ format, files }: Artifact, { signal }: LoadOptions = {}): Promise<Session> {
  if (format !== "wasm")
    throw new PareError("ENGINE", `${engine} loads modules, and this is an ${format} file.`, {
      where: engine,
    });
  throwIfAborted(signal);
  const modules = files.filter(({ bytes }) => isModule(bytes));
  const weights = files.find(({ bytes }) => !isModule(bytes))?.bytes;
  // The second is the same model for relaxed SIMD, where the device has it and it is right.
  const chosen = (hasRelaxedSimd() ? modules[1] : undefined) ?? files[0];
  try {
    const module = await WebAssembly.compile(owned(chosen.bytes));
    throwIfAborted(signal);
    const instance = await WebAssembly.instantiate(module);
    return moduleSession(module, instance, weights);
  } catch (cause) {
    throw cause instanceof PareError ? cause : refused(cause);
  }
}

function refused(cause: unknown): PareError {
  const said = messageOf(cause);
  const details = { where: engine, cause };
  if (/unsafe-eval|Content Security Policy/i.test(said))
    return new PareError("ENGINE_POLICY", `${engine} may not be compiled here: ${said}`, {
      ...details,
      hint: "Add 'wasm-unsafe-eval' to script-src of the content security policy.",
    });
  const isMemory = cause instanceof RangeError && /memory|allocat/i.test(said);
  return new PareError(isMemory ? "NO_MEMORY" : "ENGINE", `${engine} refused the model: ${said}`, {
    ...details,
    ...(isMemory && { hint: "Use a smaller input or variant." }),
  });
}

function isModule(bytes: Uint8Array): boolean {
  return [0, 0x61, 0x73, 0x6d].every((byte, at) => bytes[at] === byte);
}

/** Compiling takes no bytes of a memory that is shared. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
}

/** f32.const, f32x4.splat. */
function splat(float: readonly number[]): readonly number[] {
  return [0x43, ...float, 0xfd, 0x13];
}

/** f(): i32 of the first lane of 2·3 + 4, by relaxed SIMD or by the plain one. */
function moduleOf(relaxed: boolean): Uint8Array<ArrayBuffer> {
  const two = splat([0, 0, 0, 0x40]);
  const three = splat([0, 0, 0x40, 0x40]);
  const four = splat([0, 0, 0x80, 0x40]);
  const multiplyAdd = relaxed
    ? [...two, ...three, ...four, 0xfd, 0x85, 0x02]
    : [...two, ...three, 0xfd, 0xe6, 0x01, ...four, 0xfd, 0xe4, 0x01];
  const code = [0, ...multiplyAdd, 0xfd, 0xf8, 0x01, 0xfd, 0x1b, 0, 0x0b];
  const types = [1, 5, 1, 0x60, 0, 1, 0x7f];
  const exports = [7, 5, 1, 1, 0x66, 0, 0];
  const { length } = code;
  const head = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...types, 3, 2, 1, 0, ...exports];
  return Uint8Array.of(...head, 10, length + 2, 1, length, ...code);
}

let relaxed: boolean | undefined;
/** It is there, and multiplies and adds. */
function hasRelaxedSimd(): boolean {
  return (relaxed ??= answersTen(moduleOf(true)));
}

function answersTen(bytes: Uint8Array<ArrayBuffer>): boolean {
  try {
    if (!WebAssembly.validate(bytes)) return false;
    const { f } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
    return typeof f === "function" && f() === 10;
  } catch {
    return false;
  }
}
