import { PareError } from "@pare/runtime/format";
import { aot } from "./aot.js";
import { cpu } from "./cpu.js";
import type { Target } from "./target.js";
import { wasm } from "./wasm.js";
import { webgpu } from "./webgpu.js";

export type { Target } from "./target.js";

/** Every target that can be compiled for. */
export const targets: readonly Target[] = [aot, cpu, wasm, webgpu];

/** @throws PareError ARGUMENT for a target that cannot be compiled for */
export function findTarget(name: string): Target {
  const found = targets.find((target) => target.name === name);
  if (found === undefined) {
    throw new PareError("ARGUMENT", `There is no target "${name}".`, {
      where: name,
      hint: `The targets are ${targets.map((target) => target.name).join(", ")}.`,
    });
  }
  return found;
}
