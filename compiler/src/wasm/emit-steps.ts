import { FunctionBuilder } from "./encode/function-builder.js";
import { ModuleBuilder } from "./encode/module-builder.js";
import { callStep } from "./emit.js";
import type { Engine } from "./engine.js";
import { constantImage, type MemoryPlan } from "./plan/memory-plan.js";
import type { Plan } from "./plan/plan.js";

/**
 * A plan as a module that exports `memory` and, instead of `run`, `step0`, `step1` and so on: to look at memory, or at the
 * clock, between two of them. Weights are inside.
 */
export function emitSteps(plan: Plan, memory: MemoryPlan, engine: Engine): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  const kernels = new Map<string, number>();
  plan.steps.forEach((step, time) => {
    const index = kernels.get(step.key) ?? module.add(step.emit(engine));
    kernels.set(step.key, index);
    const f = new FunctionBuilder(0);
    callStep(f, index, step, memory);
    module.add(f, `step${time}`);
  });
  if (memory.constantBytes > 0) module.data(memory.constantsAt, constantImage(plan, memory));
  return module.encode(memory.memoryBytes);
}
