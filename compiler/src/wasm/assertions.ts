import type { Guard } from "./encode/code.js";
import { allBytes, bits, i32, i32Add, integers, load, type Vector } from "./encode/expression.js";
import { FunctionBuilder } from "./encode/function-builder.js";
import { type ModuleBuilder, pageBytes } from "./encode/module-builder.js";
import type { MemoryPlan } from "./plan/memory-plan.js";
import { beforeAll, bytesOf, type Held, type Plan, type Step, type Turns } from "./plan/plan.js";

/** The exported integer that says which step is under way: its index in the plan. */
const stepGlobal = "step";

/** What a byte of the shadow says of a byte of memory. */
const mayRead = 1;
const mayWrite = 2;
/** Kernels read whole vectors: so much of what lies behind a value is read with its last lane, and not used. */
const readBehind = 15;
/** Four of them are a NaN, two of them as well, and one or eight are −1. */
const poisonByte = 0xff;

/**
 * What makes of a module its assertion build. Behind the memory lies its shadow, a byte for each of its bytes, which says
 * what the step under way may do there: read and write the buffers that are its operands and hold something at this
 * time, read the constants that are. Each load and store of a kernel looks there first, at its own address moved by a
 * constant, and traps where a byte of it is not allowed. After a step all buffers that hold nothing any more are poisoned.
 */
export class Assertions {
  /** Of memory and shadow. */
  readonly memoryBytes: number;
  readonly #module: ModuleBuilder;
  readonly #plan: Plan;
  readonly #memory: MemoryPlan;
  readonly #shadowAt: number;
  readonly #step: number;
  readonly #checks = new Map<string, number>();

  constructor(module: ModuleBuilder, plan: Plan, memory: MemoryPlan) {
    this.#module = module;
    this.#plan = plan;
    this.#memory = memory;
    this.#shadowAt = Math.ceil(memory.memoryBytes / pageBytes) * pageBytes;
    this.memoryBytes = 2 * this.#shadowAt + pageBytes;
    this.#step = module.global(stepGlobal);
  }

  /** Finds the function that checks accesses like this one. Beyond memory and shadow the engine itself traps. */
  readonly guard: Guard = ({ bytes, writes }) => {
    const key = `${bytes} ${writes}`;
    const index = this.#checks.get(key) ?? this.#module.add(this.#check(bytes, writes));
    this.#checks.set(key, index);
    return index;
  };

  /** Takes an address and an offset. */
  #check(bytes: number, writes: boolean): FunctionBuilder {
    const f = new FunctionBuilder(2);
    const at = i32Add(f.parameter(0), f.parameter(1));
    const wanted = integers((writes ? mayWrite : mayRead) * 0x01010101);
    const allowed = bits.and(load(at, this.#shadowAt), wanted);
    f.trapUnless(allBytes(bits.or(allowed, beyond(bytes))));
    return f;
  }

  /** Writes the call of a step, with what comes before and after it. */
  surround(f: FunctionBuilder, { at }: Step, time: number, call: () => void): void {
    const held = [...new Set(at.map((place) => place.in))];
    f.setGlobal(this.#step, i32(time));
    for (const one of held) if (holds(one, time)) this.#allow(f, one, mayRead, readBehind);
    for (const one of held)
      if (holds(one, time))
        this.#allow(f, one, mayBeWritten(one, time) ? mayRead | mayWrite : mayRead);
    call();
    for (const one of held) this.#allow(f, one, 0, readBehind);
  }

  /** Writes, behind steps in turns, what buffers that hold nothing any more are filled with. */
  poison(f: FunctionBuilder, { time, steps }: Turns): void {
    for (const buffer of this.#plan.buffers)
      if (time <= buffer.last && buffer.last < time + steps.length)
        f.fillMemory(this.#memory.addressOf(start(buffer)), poisonByte, buffer.bytes);
  }

  #allow(f: FunctionBuilder, held: Held, what: number, behind = 0): void {
    const at = this.#shadowAt + this.#memory.addressOf(start(held));
    f.fillMemory(at, what, bytesOf(held) + behind);
  }
}

const start = (held: Held) => ({ in: held, offset: 0 });

/** Before all steps what is decoded is made, and constant from then on. */
function mayBeWritten(held: Held, time: number): boolean {
  const isMade = held.kind === "decoded" || held.kind === "prepared";
  return held.kind === "buffer" || (isMade && time === beforeAll);
}

function holds(held: Held, time: number): boolean {
  return held.kind !== "buffer" || (held.first <= time && time <= held.last);
}

/** Ones in all bytes of a vector behind the first. */
function beyond(bytes: number): Vector {
  const lane = (at: number): number => {
    const own = Math.min(4, Math.max(0, bytes - 4 * at));
    return own === 4 ? 0 : -1 << (8 * own);
  };
  return integers(lane(0), lane(1), lane(2), lane(3));
}
