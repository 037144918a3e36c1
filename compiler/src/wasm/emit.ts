import { Assertions } from "./assertions.js";
import { FunctionBuilder } from "./encode/function-builder.js";
import { ModuleBuilder } from "./encode/module-builder.js";
import type { Engine } from "./engine.js";
import { constantImage, type MemoryPlan, type Together } from "./plan/memory-plan.js";
import {
  beforeAll,
  type Decoded,
  type PlacedValue,
  type Plan,
  type Prepared,
  turnsOf,
} from "./plan/plan.js";
import { StepFunctions } from "./step-functions.js";

/** The section that says where inputs and outputs lie: ASCII JSON, a `ModuleFacts`. */
export const factsSection = "pare";

interface ModuleValue {
  readonly name: string;
  readonly type: string;
  /** null for rows. */
  readonly dims: readonly (number | null)[];
  /** Address of the first element, row-major. */
  readonly at: number;
  /** Of an output of which only a run knows how many rows it has: the address of their count, an int32, and the most. */
  readonly count?: number;
  readonly most?: number;
  /** Of an output of text: what its integers stand for. */
  readonly labels?: readonly string[];
}

/** What goes in and out where one of a module's functions is called. */
interface EntryFacts {
  readonly inputs: readonly ModuleValue[];
  readonly outputs: readonly ModuleValue[];
}

/** What whoever loads a module must know. Its own inputs and outputs are those of `run`. */
export interface ModuleFacts extends EntryFacts {
  /** Those of `run1`, `run2`, …: the same model for other sizes, in the same memory. Absent where there is one. */
  readonly others?: readonly EntryFacts[];
  /** Where weights that come in a file of their own are to be written. */
  readonly weights?: { readonly at: number; readonly bytes: number };
}

export interface EmitOptions {
  /**
   * Makes the assertion build: slow; traps where a kernel reads or writes outside its operands, and exports the index of
   * the step under way as `step`; memory that holds nothing any more is filled with NaN. Whoever writes NaN into all that
   * is no input before a run has no number in it that the model did not write.
   */
  readonly asserted?: boolean;
}

/**
 * A plan as a WebAssembly module that exports `memory` and `run`, and imports nothing; with `decode`, which is to be called
 * before the first run, where weights are stored as integers.
 * @param weights `inside`: in its data segment; `beside`: whoever loads it writes them
 */
export function emitModule(
  plan: Plan,
  memory: MemoryPlan,
  engine: Engine,
  weights: "inside" | "beside",
  { asserted = false }: EmitOptions = {},
): Uint8Array<ArrayBuffer> {
  const { constants, decoded, prepared } = plan;
  const together = { entries: [{ plan, memory }], constants, decoded, prepared };
  return emitTogether(together, engine, weights, { asserted });
}

/** The same of several plans: `run`, `run1`, `run2`, … in their order. The assertion build is of one. */
export function emitTogether(
  { entries, constants, decoded, prepared }: Together,
  engine: Engine,
  weights: "inside" | "beside",
  { asserted = false }: EmitOptions = {},
): Uint8Array<ArrayBuffer> {
  const [first, ...others] = entries;
  if (first === undefined) throw new RangeError("There is nothing to emit.");
  const module = new ModuleBuilder();
  const assertions = asserted ? new Assertions(module, first.plan, first.memory) : undefined;
  const functions = new StepFunctions(module, engine, assertions?.guard);
  functions.add(entries.flatMap(({ plan }) => plan.steps));
  for (const [index, { plan, memory }] of entries.entries()) {
    const run = new FunctionBuilder(0);
    for (const turns of turnsOf(plan.steps)) {
      functions.turns(run, turns, memory, (step, time, call) => {
        if (assertions === undefined) call();
        else assertions.surround(run, step, time, call);
      });
      assertions?.poison(run, turns);
    }
    module.add(run, `run${index || ""}`);
  }
  addStart(module, functions, [...decoded, ...prepared], first.memory, assertions);
  const { constantsAt, constantBytes, memoryBytes } = first.memory;
  if (weights === "inside" && constantBytes > 0)
    module.data(constantsAt, constantImage({ constants, decoded }, first.memory));
  const facts: ModuleFacts = {
    ...factsOf(first),
    ...(others.length > 0 && { others: others.map(factsOf) }),
    ...(weights === "beside" && { weights: { at: constantsAt, bytes: constantBytes } }),
  };
  module.custom(factsSection, asciiJson(facts));
  return module.encode(assertions?.memoryBytes ?? memoryBytes);
}

/**
 * Exports `decode`, which whoever starts the module calls once, when the weights are in place: where some of them are
 * stored as integers, or are computed with in another form.
 */
export function addStart(
  module: ModuleBuilder,
  functions: StepFunctions,
  made: readonly (Decoded | Prepared)[],
  memory: MemoryPlan,
  assertions?: Assertions,
): void {
  const steps = made.flatMap((one) => one.steps);
  if (steps.length === 0) return;
  const decode = new FunctionBuilder(0);
  for (const step of steps) {
    const call = (): void => functions.call(decode, step, memory);
    if (assertions === undefined) call();
    else assertions.surround(decode, step, beforeAll, call);
  }
  module.add(decode, "decode");
}

function factsOf({ plan, memory }: Together["entries"][number]): EntryFacts {
  const value = ({ name, type, dims, place, rows, labels }: PlacedValue): ModuleValue => ({
    name,
    type,
    dims: dims.map((size, axis) => (axis === rows?.axis ? null : size)),
    at: memory.addressOf(place),
    ...(rows && { count: memory.addressOf(rows.count), most: dims[rows.axis] ?? 1 }),
    ...(labels && { labels }),
  });
  return { inputs: plan.inputs.map(value), outputs: plan.outputs.map(value) };
}

/** Where nothing decodes UTF-8, characters are bytes. */
function asciiJson(value: unknown): Uint8Array {
  const text = JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
