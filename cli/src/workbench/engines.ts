import { availableParallelism, cpus, release, type as systemName } from "node:os";
import { saturates, type TargetDevice } from "@pare/compiler";
import {
  type EngineHost,
  engineTargets,
  executor,
  type Hosts,
  measurableTargets,
} from "@pare/bench";
import {
  type Executor,
  PareError,
  type TargetName,
  targetNames,
  throwIfAborted,
} from "@pare/runtime/format";
import { instructionSets, processorText } from "./processor.js";
import { openSweptHosts } from "./swept-hosts.js";

/** The engines that are to be measured, and the CPU engine that the others are compared with. */
export interface Engines extends Hosts {
  readonly devices: readonly TargetDevice[];
  /** What their answers are held against: themselves, and the CPU engine. */
  readonly answering: readonly TargetDevice[];
  /** Answers what a metric and calibration ask: the CPU engine, or else the first there is that loads any model. */
  readonly reference: EngineHost;
}

/**
 * The targets that were asked for.
 * @param otherwise where none was
 * @throws PareError ARGUMENT for a name that is no target, or one that this version cannot measure
 */
export function parseTargets(
  names: readonly string[] | undefined,
  otherwise: readonly TargetName[] = engineTargets,
): readonly TargetName[] {
  if (names === undefined) return otherwise;
  if (names.length === 0)
    throw new PareError("ARGUMENT", "--target names none.", {
      where: "--target",
      hint: `The targets are ${measurableTargets.join(", ")}; without --target it is all that run here.`,
    });
  return [...new Set(names)].map((name) => {
    const target = targetNames.find((known) => known === name);
    if (target === undefined) {
      throw new PareError("ARGUMENT", `There is no target "${name}".`, {
        where: "--target",
        hint: `The targets are ${measurableTargets.join(", ")}.`,
      });
    }
    if (!measurableTargets.includes(target)) {
      throw new PareError("ARGUMENT", `The target ${target} is not available in this version.`, {
        where: "--target",
        hint: `The targets are ${measurableTargets.join(", ")}.`,
      });
    }
    return target;
  });
}

export interface EngineOptions {
  /** An engine that takes longer for an answer is ended, where nothing else limits it. */
  readonly patienceMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws PareError UNSUPPORTED_DEVICE when none of the targets can run here, ABORTED */
export async function openEngines(
  targets: readonly TargetName[],
  { patienceMs, signal }: EngineOptions = {},
): Promise<Engines> {
  const wanted = new Set(targets);
  const asked: Promise<boolean>[] = [];
  const opened = await openSweptHosts([...new Set<TargetName>([...targets, "cpu"])], {
    patienceMs,
    signal,
    // While a browser is starting. WebAssembly's kernels never do, and GPUs have no integer products.
    onStarted(host) {
      if (host.target !== "cpu") return;
      const answer = saturates(executor(host));
      answer.catch(() => {}); // told below
      asked.push(answer);
    },
  });
  const [onCpu = false] = await Promise.all(asked)
    .finally(() => throwIfAborted(signal))
    .catch(async (error: unknown) => {
      await opened.dispose();
      throw error;
    });
  // What answers for others has to load any model.
  const reference =
    engineTargets.flatMap((target) => opened.hosts.get(target) ?? [])[0] ??
    [...opened.hosts.values()][0];
  const answering = [...opened.hosts.values()].map((host) =>
    deviceOf(host, opened.hosts, host.target === "cpu" && onCpu),
  );
  const devices = targets.flatMap(
    (named) => answering.find(({ target }) => target === named) ?? [],
  );
  const skipped = opened.skipped
    .filter(({ target }) => wanted.has(target))
    .map(({ target, reason }) => ({
      target,
      reason: reason.replace(`${target} cannot run here: `, ""),
    }));
  if (reference === undefined || devices.length === 0) {
    await opened.dispose();
    throw new PareError(
      "UNSUPPORTED_DEVICE",
      `None of the targets can run here. ${skipped.map(({ target, reason }) => `${target}: ${reason}`).join(" ")}`,
      {
        where: targets.join(", "),
        hint: "Run `pare doctor`: it says how to get what is missing.",
      },
    );
  }
  return { ...opened, skipped, devices, answering, reference };
}

/** One engine, for work that nobody times: the native one, or WebAssembly where that is not there. */
export async function openReference(options: EngineOptions = {}): Promise<Engines> {
  try {
    return await openEngines(["cpu"], options);
  } catch {
    throwIfAborted(options.signal);
    return openEngines(["wasm"], options);
  }
}

/** For work that nobody times: on the CPU it may have every core. WebAssembly's threads are set once for all its models. */
export function untimedExecutor(host: EngineHost): Executor {
  const runs = executor(host);
  if (host.target !== "cpu") return runs;
  const threads = availableParallelism();
  return { load: (artifact, options) => runs.load(artifact, { threads, ...options }) };
}

function deviceOf(
  host: EngineHost,
  hosts: ReadonlyMap<TargetName, EngineHost>,
  saturates: boolean,
): TargetDevice {
  const standIn = hosts.has("cpu") ? "cpu" : "wasm";
  const { target, engine, features } = host;
  return {
    target,
    engine,
    standIn: host.software && hosts.has(standIn) ? standIn : null,
    features,
    executor: executor(host),
    saturates,
  };
}

/** Where figures come from. */
export function environment(engines: Engines): Readonly<Record<string, string>> {
  const rows = [...engines.hosts.values()].map(({ target, engine }) => [target, engine] as const);
  const instructions = instructionSets();
  const products = saturatesOn(engines.devices);
  return {
    system: `${systemName()} ${release()}, ${process.arch}`,
    processor: processorText(),
    ...(instructions !== null && { instructions: instructions.join(", ") || "none of note" }),
    ...(products !== null && { "products of 8 bits": products ? "saturate" : "exact" }),
    node: process.versions.node,
    ...Object.fromEntries(rows),
  };
}

/** Whether this processor's products of 8 bits do, as the CPU engine showed; null where it is not measured. */
export function saturatesOn(devices: Engines["devices"]): boolean | null {
  return devices.find(({ target }) => target === "cpu")?.saturates ?? null;
}

/** Short, for the manifest: `linux x64, 2 cores`. */
export function measuredOn(): string {
  return `${process.platform} ${process.arch}, ${cpus().length} cores`;
}
