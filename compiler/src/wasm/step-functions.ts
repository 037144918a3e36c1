import type { Guard } from "./encode/code.js";
import { i32, i32Add, i32Multiply, loadInteger, type Local } from "./encode/expression.js";
import type { FunctionBuilder } from "./encode/function-builder.js";
import type { ModuleBuilder } from "./encode/module-builder.js";
import type { Engine } from "./engine.js";
import type { MemoryPlan } from "./plan/memory-plan.js";
import type { Step, Turns } from "./plan/plan.js";

interface Callee {
  readonly index: number;
  /** Of its shape, that it is passed. */
  readonly numbers: readonly number[];
}

/** The functions of a module that its steps call: one for all steps whose code is the same. */
export class StepFunctions {
  readonly #module: ModuleBuilder;
  readonly #engine: Engine;
  readonly #guard: Guard | undefined;
  readonly #byKey = new Map<string, Callee>();
  readonly #byCode = new Map<string, number>();

  constructor(module: ModuleBuilder, engine: Engine, guard?: Guard) {
    this.#module = module;
    this.#engine = engine;
    this.#guard = guard;
  }

  /** Makes what steps call. Functions of a kernel lie together: what is alike compresses the better the nearer it is. */
  add(steps: readonly Step[]): void {
    for (const kernel of new Set(steps.map((step) => step.kernel)))
      for (const step of steps) if (step.kernel === kernel) this.#calleeOf(step);
  }

  /**
   * Writes the calls of steps in turns.
   * @param around what surrounds the call of a step, by its index
   */
  turns(
    from: FunctionBuilder,
    { time, count, steps }: Turns,
    memory: Pick<MemoryPlan, "addressOf">,
    around: (step: Step, time: number, call: () => void) => void = (_step, _time, call) => call(),
  ): void {
    const round = count > 1 ? from.local("i32") : undefined;
    if (round !== undefined) from.set(round, i32(0));
    from.times(count, () => {
      steps.forEach((step, at) => around(step, time + at, () => this.call(from, step, memory, round))); // prettier-ignore
      if (round !== undefined) from.set(round, i32Add(round, i32(1)));
    });
  }

  /** Writes the call of a step, which is left out where it has nothing to compute with. */
  call(
    from: FunctionBuilder,
    step: Step,
    { addressOf }: Pick<MemoryPlan, "addressOf">,
    round?: Local<"i32">,
  ): void {
    const { index, numbers } = this.#calleeOf(step);
    const addresses = step.at.map((place, operand) => {
      const [first, move] = [i32(addressOf(place)), step.moves?.[operand] ?? 0];
      if (round === undefined || move === 0) return first;
      return i32Add(first, i32Multiply(round, i32(move)));
    });
    const passed = [...addresses, ...numbers.map(i32)];
    if (step.count === undefined) from.call(index, passed);
    else from.when(loadInteger(i32(addressOf(step.count))), () => from.call(index, passed));
  }

  #calleeOf(step: Step): Callee {
    const known = this.#byKey.get(step.key);
    if (known !== undefined) return known;
    const body = step.emit(this.#engine);
    const code = `${body.arity} ${body.encoded().join()}`;
    const index = this.#byCode.get(code) ?? this.#module.add(body, undefined, this.#guard);
    this.#byCode.set(code, index);
    const callee = { index, numbers: body.passed };
    this.#byKey.set(step.key, callee);
    return callee;
  }
}
