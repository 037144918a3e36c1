import { readFileSync } from "node:fs";
import { cpus } from "node:os";

/** Instruction sets that kernels of engines are written for, by how Linux names them. */
const sets: readonly (readonly [flag: string, name: string])[] = [
  ["avx2", "AVX2"],
  ["avx512f", "AVX-512"],
  ["avx_vnni", "AVX-VNNI"],
  ["avx512_vnni", "AVX-512 VNNI"],
  ["amx_int8", "AMX"],
  ["asimd", "NEON"],
  ["asimddp", "dot products"],
  ["i8mm", "I8MM"],
];

/** `AMD EPYC, 2 cores` */
export function processorText(): string {
  const all = cpus();
  return `${all[0]?.model.trim() || "unknown"}, ${all.length} cores`;
}

/** Those of this processor; null where the system does not say. */
export function instructionSets(): readonly string[] | null {
  if (process.platform !== "linux") return null;
  try {
    return instructionSetsIn(readFileSync("/proc/cpuinfo", "utf8"));
  } catch {
    return null;
  }
}

/** @param text of Linux's /proc/cpuinfo */
export function instructionSetsIn(text: string): readonly string[] | null {
  const line = /^(?:flags|Features)\s*:(.*)$/m.exec(text)?.[1];
  if (line === undefined) return null;
  const flags = new Set(line.trim().split(/\s+/));
  return sets.flatMap(([flag, name]) => (flags.has(flag) ? [name] : []));
}
