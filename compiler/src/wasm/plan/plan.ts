import type { Dtype } from "@pare/runtime/format";
import { contentKey, sameBytes } from "../../ir/index.js";
import type { FunctionBuilder } from "../encode/function-builder.js";
import type { Engine } from "../engine.js";
import { decodeF16 } from "../kernels/decode-f16.js";
import { decodeI8 } from "../kernels/decode-i8.js";
import type { Elements } from "../kernels/element.js";
import { floatBytes, type Kernel, type Memory, vectorBytes } from "../kernels/kernel.js";
import { Distinct } from "./distinct.js";
import type { ScaleRuns } from "./scale-runs.js";

/** Memory that holds something from the first step that uses it to the last. */
export interface Buffer {
  readonly kind: "buffer";
  readonly bytes: number;
  /** What it holds, for messages. */
  readonly name: string;
  readonly first: number;
  readonly last: number;
}

/** Numbers that the module comes with: weights, tables. */
export interface Constant {
  readonly kind: "constant";
  readonly bytes: Uint8Array;
}

/** Floats that are made of constants once, when the module is started, and constant from then on. */
export interface Decoded {
  readonly kind: "decoded";
  readonly bytes: number;
  /** A byte or two for each, which nothing else reads: they are written over. */
  readonly codes: Constant;
  /** What makes them, from the first to the last, of nothing but constants. */
  readonly steps: readonly Step[];
}

/** What is computed of constants once, when the module is started, after all that is decoded: constant from then on. */
export interface Prepared {
  readonly kind: "prepared";
  readonly bytes: number;
  /** What computes it. */
  readonly steps: readonly Step[];
}

/** While it is planned. */
type Preparing = Mutable<Pick<Prepared, "kind" | "bytes">> & { readonly steps: Step[] };

/** What has a place in a module's memory. */
export type Held = Buffer | Constant | Decoded | Prepared;

export const inVectors = (bytes: number): number => Math.ceil(bytes / vectorBytes) * vectorBytes;

export function bytesOf(held: Held): number {
  return held.kind === "constant" ? held.bytes.length : held.bytes;
}

/** A place, before anything has an address. */
export interface Place {
  readonly in: Held;
  readonly offset: number;
}

export function placeAt(place: Place, bytes: number): Place {
  return { in: place.in, offset: place.offset + bytes };
}

/** A call of a kernel. Steps of one key share a function. */
export interface Step {
  readonly kernel: string;
  readonly key: string;
  readonly emit: (engine: Engine) => FunctionBuilder;
  readonly reference: (memory: Memory, at: readonly number[]) => void;
  readonly at: readonly Place[];
  /** A 32-bit integer: where it is 0 there is nothing to compute with, and the call is left out. */
  readonly count?: Place;
  /** Steps that follow on one another and have the same are called in turns, so many times. */
  readonly rounds?: Rounds;
  /** By how many bytes places move from one round to the next. */
  readonly moves?: readonly number[];
}

export interface Rounds {
  readonly count: number;
}

/** Steps that are called one after the other, so many times; `time` is the first one's. */
export interface Turns {
  readonly time: number;
  readonly count: number;
  readonly steps: readonly Step[];
}

/** Steps by the rounds that they are in; what is in none is by itself. */
export function turnsOf(steps: readonly Step[]): readonly Turns[] {
  const turns: { time: number; count: number; steps: Step[] }[] = [];
  steps.forEach((step, time) => {
    const last = turns.at(-1);
    if (step.rounds !== undefined && last?.steps[0]?.rounds === step.rounds) last.steps.push(step);
    else turns.push({ time, count: step.rounds?.count ?? 1, steps: [step] });
  });
  return turns;
}

/** Where a step's operands lie in a round. */
export function placesIn({ at, moves }: Step, round: number): readonly Place[] {
  return at.map((place, operand) => placeAt(place, round * (moves?.[operand] ?? 0)));
}

/** An input or output of the model: row-major, without gaps. */
export interface PlacedValue {
  readonly name: string;
  readonly type: Dtype;
  readonly dims: readonly number[];
  readonly place: Place;
  /** The axis of which only a run knows how many there are, at most its size; zeros lie behind them. */
  readonly rows?: { readonly axis: number; readonly count: Place };
  /** What its integers stand for, where it is text. */
  readonly labels?: readonly string[];
}

/** A model as calls of kernels, one after the other. */
export interface Plan {
  readonly steps: readonly Step[];
  readonly buffers: readonly Buffer[];
  readonly constants: readonly Constant[];
  readonly decoded: readonly Decoded[];
  readonly prepared: readonly Prepared[];
  readonly inputs: readonly PlacedValue[];
  readonly outputs: readonly PlacedValue[];
}

/** Before the first step, and after the last: inputs are there already, outputs are there still. */
export const beforeAll = -1;
export const afterAll = Number.MAX_SAFE_INTEGER;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class PlanBuilder {
  readonly #steps: Step[] = [];
  readonly #buffers = new Map<Held, Mutable<Buffer>>();
  readonly #constants = new Distinct<Constant>((a, b) => sameBytes(a.bytes, b.bytes));
  readonly #decoded = new Distinct(isSame);
  readonly #prepared: Prepared[] = [];
  readonly #counts = new Map<Held, Place>();
  /** In the order in which they are made. */
  readonly #counted = new Set<Place>();
  /** What is planned now is computed when the module is started, and lies there. */
  #preparing: Preparing | null = null;
  readonly inputs: PlacedValue[] = [];
  readonly outputs: PlacedValue[] = [];

  /** Memory of its own. @param bytes of what it is to hold */
  memory(bytes: number, name: string): Place {
    const preparing = this.#preparing;
    if (preparing !== null) {
      const offset = preparing.bytes;
      preparing.bytes += inVectors(bytes);
      return { in: preparing, offset };
    }
    const made = { kind: "buffer" as const, bytes, name, first: afterAll, last: beforeAll };
    this.#buffers.set(made, made);
    return { in: made, offset: 0 };
  }

  get isAtStart(): boolean {
    return this.#preparing !== null;
  }

  /** Memory and steps that `build` asks for are constant from the module's start on: steps read nothing else. */
  atStart<Result>(build: () => Result): Result {
    if (this.#preparing !== null) return build();
    const made: Preparing = { kind: "prepared", bytes: 0, steps: [] };
    this.#preparing = made;
    try {
      return build();
    } finally {
      this.#preparing = null;
      if (made.bytes > 0) this.#prepared.push(made);
    }
  }

  /** The same bytes are kept once. */
  constant(numbers: Elements): Place {
    const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    const made: Constant = { kind: "constant", bytes };
    return { in: this.#constants.firstLike(made, contentKey(bytes)), offset: 0 };
  }

  /** Floats as finite float16 numbers, whole vectors of them. What is made of the same in the same way is made once. */
  decodedHalves(halves: Uint16Array<ArrayBuffer>): Place {
    const bytes = new Uint8Array(halves.buffer, halves.byteOffset, halves.byteLength);
    const codes: Constant = { kind: "constant", bytes };
    const steps: Step[] = [];
    const made: Decoded = { kind: "decoded", bytes: halves.length * floatBytes, codes, steps };
    const from = { in: codes, offset: 0 };
    const end = placeAt(from, bytes.length);
    steps.push(stepOf(decodeF16, {}, [from, end, { in: made, offset: 0 }]));
    return { in: this.#decoded.firstLike(made, contentKey(bytes)), offset: 0 };
  }

  /** The same as signed bytes times scales. */
  decodedIntegers(integers: Int8Array, { scales, runs }: ScaleRuns): Place {
    const bytes = new Uint8Array(integers.buffer, integers.byteOffset, integers.length);
    const codes: Constant = { kind: "constant", bytes };
    const by = this.constant(scales);
    const steps: Step[] = [];
    const made: Decoded = { kind: "decoded", bytes: bytes.length * floatBytes, codes, steps };
    let at = 0;
    for (const { vectors, floats, blocks } of runs) {
      const [from, to] = [
        { in: codes, offset: at },
        { in: made, offset: at * floatBytes },
      ];
      steps.push(stepOf(decodeI8, { vectors }, [from, this.constant(blocks), by, to]));
      at += floats;
    }
    return { in: this.#decoded.firstLike(made, contentKey(bytes)), offset: 0 };
  }

  /** What one step computes of constants, once, and of memory that nothing is in yet. `at` is told where it lies. */
  prepared<Options>(
    bytes: number,
    kernel: Kernel<Options>,
    options: Options,
    at: (own: Place) => readonly Place[],
  ): Place {
    const steps: Step[] = [];
    const made: Prepared = { kind: "prepared", bytes, steps };
    const own = { in: made, offset: 0 };
    const places = at(own);
    for (const place of places) this.#use(place.in, beforeAll);
    steps.push(stepOf(kernel, options, places));
    this.#prepared.push(made);
    return own;
  }

  /**
   * From now on a step that uses the buffer is left out where the count is 0. One that uses several goes by what was counted
   * last: where nothing was found, nothing was found among that.
   */
  counted(buffer: Held, count: Place): void {
    this.#counts.set(buffer, count);
    this.#counted.add(count);
  }

  /** @param always also where what it uses is counted, and the count 0 */
  step<Options>(
    kernel: Kernel<Options>,
    options: Options,
    at: readonly Place[],
    always = false,
  ): void {
    if (this.#preparing !== null) {
      this.#preparing.steps.push(stepOf(kernel, options, at));
      return;
    }
    const time = this.#steps.length;
    const count = always ? undefined : this.#lastCount(at);
    for (const place of [...at, ...(count === undefined ? [] : [count])]) this.#use(place.in, time);
    this.#steps.push({ ...stepOf(kernel, options, at), ...(count && { count }) });
  }

  /**
   * What `build` adds is called in turns, so many times.
   * @param build is given `step`, to which it says by how many bytes places move from one round to the next
   */
  inRounds(count: number, build: (step: StepInRounds) => void): void {
    const rounds: Rounds = { count };
    const first = this.#steps.length;
    build((kernel, options, at, moves) => {
      this.step(kernel, options, at);
      const added = this.#steps.pop();
      if (added !== undefined) this.#steps.push({ ...added, rounds, moves });
    });
    // What a round needs, the next one needs as well.
    const last = this.#steps.length - 1;
    for (const { at } of this.#steps.slice(first))
      for (const { in: held } of at) for (const time of [first, last]) this.#use(held, time);
  }

  input(value: PlacedValue): void {
    this.#use(value.place.in, beforeAll);
    this.inputs.push(value);
  }

  output(value: PlacedValue): void {
    for (const place of [value.place, ...(value.rows === undefined ? [] : [value.rows.count])])
      this.#use(place.in, afterAll);
    this.outputs.push(value);
  }

  plan(): Plan {
    return {
      steps: this.#steps,
      buffers: [...this.#buffers.values()],
      constants: this.#constants.all,
      decoded: this.#decoded.all,
      prepared: this.#prepared,
      inputs: this.inputs,
      outputs: this.outputs,
    };
  }

  #lastCount(at: readonly Place[]): Place | undefined {
    const found = new Set(at.flatMap((place) => this.#counts.get(place.in) ?? []));
    return found.size < 2
      ? [...found][0]
      : [...this.#counted].filter((count) => found.has(count)).at(-1);
  }

  #use(used: Held, time: number): void {
    const own = this.#buffers.get(used);
    if (own === undefined) return;
    own.first = Math.min(own.first, time);
    own.last = Math.max(own.last, time);
  }
}

export type StepInRounds = <Options>(
  kernel: Kernel<Options>,
  options: Options,
  at: readonly Place[],
  moves: readonly number[],
) => void;

function stepOf<Options>(kernel: Kernel<Options>, options: Options, at: readonly Place[]): Step {
  return {
    kernel: kernel.name,
    key: `${kernel.name} ${JSON.stringify(options, exactly)}`,
    emit: (engine) => kernel.emit(options, engine),
    reference: (memory, addresses) => kernel.reference(options, memory, addresses),
    at,
  };
}

/** Whether both are made of the same in the same way. */
function isSame(one: Decoded, other: Decoded): boolean {
  const isOwn = ({ in: held }: Place): boolean => held === one || held === one.codes;
  return (
    sameBytes(one.codes.bytes, other.codes.bytes) &&
    one.steps.length === other.steps.length &&
    one.steps.every(({ key, at }, index) => {
      const step = other.steps[index];
      return (
        key === step?.key &&
        at.every((place, operand) => isOwn(place) || place.in === step.at[operand]?.in)
      );
    })
  );
}

/** JSON has no infinities, no zero below 0 and no long integers: a bound that is none must not look like one that is not there. */
function exactly(_: string, value: unknown): unknown {
  if (Object.is(value, -0)) return "-0";
  const isPlain =
    typeof value !== "bigint" && (typeof value !== "number" || Number.isFinite(value));
  return isPlain ? value : String(value);
}
