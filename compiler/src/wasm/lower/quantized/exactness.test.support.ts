import type { Tensors } from "@pare/runtime/format";
import { emitSteps } from "../../emit-steps.js";
import type { Engine } from "../../engine.js";
import { memoryOver } from "../../kernels/kernel.js";
import { constantImage, planMemory } from "../../plan/memory-plan.js";
import type { Plan } from "../../plan/plan.js";
import { write } from "../../run-model.test.support.js";

/** What computes on integers alone, or moves bits. */
export function isExact(kernel: string): boolean {
  return kernel.endsWith("-i8") || kernel === "copy" || kernel === "fill";
}

/**
 * Runs a plan in WebAssembly and by references, side by side: after every step that computes on integers all of the memory
 * must be equal to the bit. After others it is made equal.
 * @returns what differs, or undefined
 */
export function differenceToReferences(
  plan: Plan,
  feeds: Tensors,
  engine: Engine,
): string | undefined {
  const memory = planMemory(plan);
  const module = new WebAssembly.Module(emitSteps(plan, memory, engine));
  const { exports } = new WebAssembly.Instance(module);
  if (!(exports["memory"] instanceof WebAssembly.Memory)) return "it exports no memory";
  const { buffer } = exports["memory"];
  const expected = new ArrayBuffer(buffer.byteLength);
  new Uint8Array(expected).set(constantImage(plan, memory), memory.constantsAt);
  if (typeof exports["decode"] === "function") exports["decode"]();
  for (const step of plan.decoded.flatMap(({ steps }) => steps))
    step.reference(memoryOver(expected), step.at.map(memory.addressOf));
  for (const each of [buffer, expected]) write(plan, memory, each, feeds);
  const [actual, right] = [new Uint8Array(buffer), new Uint8Array(expected)];
  for (const [time, step] of plan.steps.entries()) {
    const call = exports[`step${time}`];
    if (typeof call !== "function") return `there is no step ${time}`;
    call();
    step.reference(memoryOver(expected), step.at.map(memory.addressOf));
    if (isExact(step.kernel)) {
      // A whole memory is compared after every step: at once where all is right.
      const isRight = Buffer.compare(right, actual) === 0;
      const wrong = isRight ? -1 : right.findIndex((byte, at) => byte !== actual[at]);
      if (wrong >= 0)
        return `${engine.name}, step ${time}, ${step.kernel}: byte ${wrong} is ${actual[wrong]} and should be ${right[wrong]}`;
    } else actual.set(right);
  }
  return undefined;
}
