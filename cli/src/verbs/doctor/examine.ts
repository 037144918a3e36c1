import { cpus, totalmem } from "node:os";
import { type Hosts, measurableTargets } from "@pare/bench";
import { messageOf, type TargetName, throwIfAborted } from "@pare/runtime/format";
import { cacheState } from "../../cache/cache-state.js";
import { openSweptHosts } from "../../workbench/swept-hosts.js";

/** One thing that this machine has or lacks, and how to get it. */
export interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly found: string;
  readonly hint: string | null;
}

const engineHints: Readonly<Partial<Record<TargetName, string>>> = {
  cpu: "Install it: ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node@1.30.0. Without it everything but cpu works.",
};

/** Starts each engine once and says what came of it. Never fails: what is missing is a finding. */
export async function examine(
  onProgress: (what: string) => void,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [
    {
      what: "node",
      ok: major() >= 20,
      found: `Node ${process.versions.node}, ${process.platform} ${process.arch}`,
      hint: major() >= 20 ? null : "Pare needs Node 20 or newer.",
    },
    {
      what: "machine",
      ok: true,
      found: `${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(1)} GiB of memory`,
      hint: null,
    },
  ];
  onProgress(`starting ${measurableTargets.join(", ")}`);
  const opened = await openSweptHosts(measurableTargets, { signal });
  try {
    findings.push(...measurableTargets.map((target) => foundOf(target, opened)));
  } finally {
    await opened.dispose();
  }
  throwIfAborted(signal);
  findings.push(await trySharp());
  findings.push({ what: "cache", ...(await cacheState()) });
  return findings;
}

function foundOf(target: TargetName, { hosts, skipped, notes }: Hosts): Finding {
  const host = hosts.get(target);
  if (host === undefined) {
    const why = skipped.find((each) => each.target === target)?.reason ?? "It cannot run here.";
    return {
      what: target,
      ok: false,
      found: why.replace(`${target} cannot run here: `, ""),
      hint: engineHints[target] ?? null,
    };
  }
  const software = host.software
    ? ". It is emulated on the CPU: answers are right, nothing is timed"
    : "";
  const hint = notes.find((note) => note.startsWith(`${target} `)) ?? null;
  return { what: target, ok: true, found: `${host.engine}${software}`, hint };
}

async function trySharp(): Promise<Finding> {
  const what = "images";
  try {
    const { default: sharp } = await import("sharp");
    return { what, ok: true, found: `sharp ${sharp.versions.sharp ?? ""}`.trim(), hint: null };
  } catch (error) {
    return {
      what,
      ok: false,
      found: `sharp cannot be loaded: ${messageOf(error)}`,
      hint: "Install it (npm install sharp), or give data as .npz.",
    };
  }
}

function major(): number {
  return Number(process.versions.node.split(".")[0]);
}
