import { type Artifact, isModuleName } from "../format/engine/artifact.js";
import type { LoadOptions, Probe, SyncBackend, SyncSession } from "../format/engine/backend.js";
import { messageOf, PareError, throwIfAborted } from "../format/error.js";
import { moduleSession } from "./aot-session.js";
import { compileWhileItComes } from "./compile-streaming.js";
import { openModule } from "./module-memory.js";
import { hasRelaxedSimd, hasSimd } from "./relaxed-simd.js";

const engine = "WebAssembly";

/**
 * The `aot` target: models that are WebAssembly modules of their own. There is no engine: this chooses the module for
 * what the device can do, gives it its weights and its inputs, and runs it. Its models run at once (`runSync`) too.
 */
export function aot(): SyncBackend {
  return {
    target: "aot",
    engine,
    probe: async () => probe(),
    needs: (files) => chosen(files, "path"),
    receive,
    load,
  };
}

function probe(): Probe {
  if (typeof WebAssembly === "undefined") return { ok: false, why: "there is no WebAssembly here" };
  if (!hasSimd()) return { ok: false, why: "WebAssembly has no SIMD here" };
  return { ok: true, engine: `${engine} (${hasRelaxedSimd() ? "relaxed SIMD" : "SIMD"})` };
}

/** Of two modules, the second is for relaxed SIMD: one of them is needed, with the weights. */
function chosen<Name extends string, File extends Readonly<Record<Name, string>>>(
  [plain, ...others]: readonly [File, ...File[]],
  name: Name,
): readonly [module: File, ...File[]] {
  const relaxed = others.find((file) => isModuleName(file[name]));
  const beside = others.filter((file) => file !== relaxed);
  return [relaxed !== undefined && hasRelaxedSimd() ? relaxed : plain, ...beside];
}

function receive(name: string): ReturnType<typeof compileWhileItComes> {
  return isModuleName(name) ? compileWhileItComes() : undefined;
}

/** @throws PareError ENGINE, ENGINE_POLICY, NO_MEMORY, ABORTED */
async function load(
  { format, files }: Artifact,
  { signal }: LoadOptions = {},
): Promise<SyncSession> {
  if (format !== "wasm")
    throw new PareError("ENGINE", `${engine} loads modules, and this is an ${format} file.`, {
      where: engine,
    });
  throwIfAborted(signal);
  const [{ incoming, bytes }, weights] = chosen(files, "name");
  try {
    // A copy: compiling takes no bytes of a memory that is shared.
    const module =
      (await incoming?.module(bytes.length)) ?? (await WebAssembly.compile(new Uint8Array(bytes)));
    throwIfAborted(signal);
    return moduleSession(openModule(module, await WebAssembly.instantiate(module), weights?.bytes));
  } catch (cause) {
    throw cause instanceof PareError ? cause : refused(cause);
  }
}

function refused(cause: unknown): PareError {
  const said = messageOf(cause);
  const details = { where: engine, cause };
  if (/unsafe-eval|CSP/.test(said))
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
