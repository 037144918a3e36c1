import { Assertions } from "./assertions.js";
import { i32 } from "./encode/expression.js";
import { FunctionBuilder } from "./encode/function-builder.js";
import { ModuleBuilder } from "./encode/module-builder.js";
import type { Engine } from "./engine.js";
import { constantImage, type MemoryPlan } from "./plan/memory-plan.js";
import type { PlacedValue, Plan, Step } from "./plan/plan.js";

/** The section that says where inputs and outputs lie: ASCII JSON, a `ModuleFacts`. */
export const factsSection = "pare";

interface ModuleValue {
  readonly name: string;
  readonly type: string;
  readonly dims: readonly number[];
  /** Address of the first element, row-major. */
  readonly at: number;
}

/** What whoever loads a module must know. */
export interface ModuleFacts {
  readonly inputs: readonly ModuleValue[];
  readonly outputs: readonly ModuleValue[];
  /** Where weights that come in a file of their own are to be written. */
  readonly weights?: { readonly at: number; readonly bytes: number };
  /** Names of the batch that was fixed to one because nobody gave it a size; absent where there was none. */
  readonly batch?: readonly string[];
}

export interface EmitOptions {
  /**
   * Makes the assertion build: slow; traps where a kernel reads or writes outside its operands, and exports the index of
   * the step under way as `step`; memory that holds nothing any more is filled with NaN. Whoever writes NaN into all that
   * is no input before a run has no number in it that the model did not write.
   */
  readonly asserted?: boolean;
  /** See ModuleFacts. */
  readonly batch?: readonly string[] | undefined;
}

/**
 * A plan as a WebAssembly module that exports `memory` and `run`, and imports nothing.
 * @param weights `inside`: in its data segment; `beside`: whoever loads it writes them
 */
export function emitModule(
  plan: Plan,
  memory: MemoryPlan,
  engine: Engine,
  weights: "inside" | "beside",
  { asserted = false, batch }: EmitOptions = {},
): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  const assertions = asserted ? new Assertions(module, plan, memory) : undefined;
  const kernels = new Map<string, number>();
  const kernelOf = (step: Step): number => {
    const index =
      kernels.get(step.key) ?? module.add(step.emit(engine), undefined, assertions?.guard);
    kernels.set(step.key, index);
    return index;
  };
  const call = (f: FunctionBuilder, step: Step): void =>
    f.call(
      kernelOf(step),
      step.at.map((place) => i32(memory.addressOf(place))),
    );
  const run = new FunctionBuilder(0);
  plan.steps.forEach((step, time) => {
    if (assertions === undefined) call(run, step);
    else assertions.surround(run, step, time, () => call(run, step));
  });
  module.add(run, "run");
  if (weights === "inside" && memory.constantBytes > 0)
    module.data(memory.constantsAt, constantImage(plan, memory));
  module.custom(
    factsSection,
    asciiJson({ ...factsOf(plan, memory, weights), ...(batch && { batch }) }),
  );
  return module.encode(assertions?.memoryBytes ?? memory.memoryBytes);
}

function factsOf(plan: Plan, memory: MemoryPlan, weights: "inside" | "beside"): ModuleFacts {
  const value = ({ name, type, dims, place }: PlacedValue): ModuleValue => ({
    name,
    type,
    dims,
    at: memory.addressOf(place),
  });
  return {
    inputs: plan.inputs.map(value),
    outputs: plan.outputs.map(value),
    ...(weights === "beside" && {
      weights: { at: memory.constantsAt, bytes: memory.constantBytes },
    }),
  };
}

/** Where nothing decodes UTF-8, characters are bytes. */
function asciiJson(value: unknown): Uint8Array {
  const text = JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
