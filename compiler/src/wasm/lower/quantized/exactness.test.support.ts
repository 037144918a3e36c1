import type { Tensors } from "@pare/runtime/format";
import { i32 } from "../../encode/expression.js";
import { FunctionBuilder } from "../../encode/function-builder.js";
import { ModuleBuilder } from "../../encode/module-builder.js";
import type { Engine } from "../../engine.js";
import { memoryOver } from "../../kernels/kernel.js";
import { constantImage, type MemoryPlan, planMemory } from "../../plan/memory-plan.js";
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
  const module = new WebAssembly.Module(stepwise(plan, memory, engine));
  const { exports } = new WebAssembly.Instance(module);
  if (!(exports["memory"] instanceof WebAssembly.Memory)) return "it exports no memory";
  const { buffer } = exports["memory"];
  const expected = new ArrayBuffer(buffer.byteLength);
  new Uint8Array(expected).set(constantImage(plan, memory), memory.constantsAt);
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

/** A module that exports a function for each step. */
function stepwise(plan: Plan, memory: MemoryPlan, engine: Engine): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  const kernels = new Map<string, number>();
  plan.steps.forEach((step, time) => {
    const index = kernels.get(step.key) ?? module.add(step.emit(engine));
    kernels.set(step.key, index);
    const f = new FunctionBuilder(0);
    f.call(
      index,
      step.at.map((place) => i32(memory.addressOf(place))),
    );
    module.add(f, `step${time}`);
  });
  module.data(memory.constantsAt, constantImage(plan, memory));
  return module.encode(memory.memoryBytes);
}
