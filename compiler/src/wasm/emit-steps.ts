import { FunctionBuilder } from "./encode/function-builder.js";
import { ModuleBuilder } from "./encode/module-builder.js";
import type { Engine } from "./engine.js";
import { addStart } from "./emit.js";
import { constantImage, type MemoryPlan } from "./plan/memory-plan.js";
import { type Plan, turnsOf } from "./plan/plan.js";
import { StepFunctions } from "./step-functions.js";

/**
 * A plan as a module that exports `memory` and, instead of `run`, `step0`, `step1` and so on: to look at memory, or at the
 * clock, between two of them. Weights are inside; `decode` is as `emitModule` has it.
 */
export function emitSteps(plan: Plan, memory: MemoryPlan, engine: Engine): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  const functions = new StepFunctions(module, engine);
  for (const turns of turnsOf(plan.steps))
    turns.steps.forEach((_, at) => {
      const f = new FunctionBuilder(0);
      // What is called in turns is called with the last of it.
      if (at === turns.steps.length - 1) functions.turns(f, turns, memory);
      module.add(f, `step${turns.time + at}`);
    });
  addStart(module, functions, [...plan.decoded, ...plan.prepared], memory);
  if (memory.constantBytes > 0) module.data(memory.constantsAt, constantImage(plan, memory));
  return module.encode(memory.memoryBytes);
}
