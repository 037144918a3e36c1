import { ByteWriter } from "./byte-writer.js";
import { Code, type Guard, guarded, type ValueType } from "./code.js";
import {
  type Address,
  type Expression,
  floats,
  i32,
  i32Add,
  i32Subtract,
  i32x4,
  integers,
  type Local,
  localGet,
  simdPrefix,
  tee,
  typeCode,
  type Vector,
} from "./expression.js";

/** Bytes of a lane, and what stores one. */
const laneStores = [
  [8, 0x5b],
  [4, 0x5a],
  [2, 0x59],
  [1, 0x58],
] as const;

/** A function that takes 32-bit integers and returns nothing, statement by statement. */
export class FunctionBuilder {
  readonly parameters: readonly Local<"i32">[];
  /** How many integers it takes: parameters, and numbers of a shape behind them. */
  readonly arity: number;
  readonly #numbers: number[] = [];
  readonly #spread = new Map<string, { readonly bits: number; readonly local: Local<"v128"> }>();
  readonly #code = new Code();
  /** What is set before all else. */
  readonly #head = new Code();
  readonly #constants = new Map<number, Local<"v128">>();
  readonly #locals: ValueType[] = [];
  readonly #scratch = new Map<string, Local<ValueType>>();
  /** What is left of each loop around another, and how many are open: one local for all loops of a depth. */
  readonly #counters: Local<"i32">[] = [];
  #loops = 0;

  /** @param numbers how many numbers of a shape callers pass */
  constructor(parameters: number, numbers = 0) {
    this.parameters = Array.from({ length: parameters }, (_, index) => localGet("i32", index));
    this.arity = parameters + numbers;
  }

  /** @throws RangeError for a parameter that the function does not take: a mistake in a kernel */
  parameter(index: number): Local<"i32"> {
    const found = this.parameters[index];
    if (found === undefined) throw new RangeError(`There is no parameter ${index}.`);
    return found;
  }

  local<T extends ValueType>(type: T): Local<T> {
    this.#locals.push(type);
    return localGet(type, this.arity + this.#locals.length - 1);
  }

  vectors(count: number): readonly Local<"v128">[] {
    return Array.from({ length: count }, () => this.local("v128"));
  }

  /**
   * A number of a shape, so that what is written with it is the same for all shapes. Callers pass it, and shapes share the
   * function; or, where they pass no more, it is in a local that is set before all else: engines fold it, and what is alike
   * compresses.
   */
  number(value: number): Local<"i32"> {
    const index = this.parameters.length + this.#numbers.length;
    if (index < this.arity) {
      this.#numbers.push(value);
      return localGet("i32", index);
    }
    const local = this.local("i32");
    this.#setFirst(local, i32(value));
    return local;
  }

  /** A number of the shape, where callers pass it; else a constant. */
  figure(value: number): Expression<"i32"> {
    const isPassed = this.parameters.length + this.#numbers.length < this.arity;
    return isPassed ? this.number(value) : i32(value);
  }

  /** Four lanes of 32 bits that are a number of the shape, where callers pass it; else a constant. One a name. */
  spread(name: string, bits: number): Vector {
    const known = this.#spread.get(name);
    const isPassed = this.parameters.length + this.#numbers.length < this.arity;
    if (known === undefined ? !isPassed : known.bits !== bits) return integers(bits);
    if (known !== undefined) return known.local;
    const local = this.local("v128");
    this.#setFirst(local, i32x4.splat(this.number(bits)));
    this.#spread.set(name, { bits, local });
    return local;
  }

  /** What callers pass behind the parameters: numbers of the shape, and zeros for those that it does not have. */
  get passed(): readonly number[] {
    const unused = this.arity - this.parameters.length - this.#numbers.length;
    return [...this.#numbers, ...Array.from({ length: unused }, () => 0)];
  }

  /** Four lanes of one float, in a local that is set before all else. */
  splat(value: number): Local<"v128"> {
    const known = this.#constants.get(value);
    if (known !== undefined && !Object.is(value, -0)) return known;
    const local = this.local("v128");
    this.#setFirst(local, floats(value));
    if (!Object.is(value, -0)) this.#constants.set(value, local);
    return local;
  }

  #setFirst<T extends ValueType>(local: Local<T>, value: Expression<T>): void {
    value.write(this.#head);
    this.#head.byte(0x21);
    this.#head.unsigned(local.index);
  }

  /** A vector for an intermediate result, one for all uses of this name. */
  scratch(name: string): Local<"v128"> {
    const known = this.#scratch.get(name);
    if (known?.type === "v128") return localGet("v128", known.index);
    const made = this.local("v128");
    this.#scratch.set(name, made);
    return made;
  }

  set<T extends ValueType>(local: Local<T>, value: Expression<T>): void {
    value.write(this.#code);
    this.#code.byte(0x21);
    this.#code.unsigned(local.index);
  }

  store(at: Address, offset: number, value: Vector): void {
    at.write(this.#code);
    value.write(this.#code);
    this.#code.access([simdPrefix, 0x0b], { offset, bytes: 16, writes: true, above: "v128" });
  }

  storeFloat(at: Address, offset: number, value: Expression<"f32">): void {
    this.#storeScalar(0x38, 4, at, offset, value);
  }

  storeInteger(at: Address, offset: number, value: Expression<"i32">): void {
    this.#storeScalar(0x36, 4, at, offset, value);
  }

  storeLong(at: Address, offset: number, value: Expression<"i64">): void {
    this.#storeScalar(0x37, 8, at, offset, value);
  }

  /** The lowest eight bits. */
  storeByte(at: Address, offset: number, value: Expression<"i32">): void {
    this.#storeScalar(0x3a, 1, at, offset, value);
  }

  /** The lowest sixteen bits. */
  storeHalf(at: Address, offset: number, value: Expression<"i32">): void {
    this.#storeScalar(0x3b, 2, at, offset, value);
  }

  /** The first lanes alone, so that what lies behind them stays. */
  storeLanes(at: Address, offset: number, value: Local<"v128">, lanes: number): void {
    if (lanes >= 4) return this.store(at, offset, value);
    if (lanes >= 2) this.#storeLane(0x5b, 8, at, offset, value, 0);
    if (lanes % 2 === 1) this.#storeLane(0x5a, 4, at, offset + (lanes - 1) * 4, value, lanes - 1);
  }

  /** The first bytes of a vector alone. */
  storeBytes(at: Address, offset: number, value: Local<"v128">, count: number): void {
    if (count >= 16) return this.store(at, offset, value);
    let done = 0;
    for (const [size, opcode] of laneStores) {
      if (done + size > count) continue;
      this.#storeLane(opcode, size, at, offset + done, value, done / size);
      done += size;
    }
  }

  /** Of a vector's parts of so many bytes one. */
  storePart(at: Address, offset: number, value: Local<"v128">, bytes: 4 | 8, part: number): void {
    this.#storeLane(bytes === 8 ? 0x5b : 0x5a, bytes, at, offset, value, part);
  }

  /** One byte of a vector. */
  storeByteLane(at: Address, offset: number, value: Vector, lane: number): void {
    this.#storeLane(0x58, 1, at, offset, value, lane);
  }

  #storeScalar(
    opcode: number,
    bytes: number,
    at: Address,
    offset: number,
    value: Expression<ValueType>,
  ): void {
    at.write(this.#code);
    value.write(this.#code);
    this.#code.access([opcode], { offset, bytes, writes: true, above: value.type });
  }

  /** @param lane of so many bytes */
  #storeLane(
    opcode: number,
    bytes: number,
    at: Address,
    offset: number,
    value: Vector,
    lane: number,
  ): void {
    at.write(this.#code);
    value.write(this.#code);
    this.#code.access([simdPrefix, opcode], { offset, bytes, writes: true, above: "v128" });
    this.#code.byte(lane);
  }

  /** Writes one byte into `bytes` bytes of memory. */
  fillMemory(at: number, byte: number, bytes: number): void {
    for (const value of [at, byte, bytes]) i32(value).write(this.#code);
    this.#code.bytes([0xfc, 0x0b, 0]);
  }

  setGlobal(index: number, value: Expression<"i32">): void {
    value.write(this.#code);
    this.#code.byte(0x24);
    this.#code.unsigned(index);
  }

  call(index: number, parameters: readonly Expression<"i32">[]): void {
    for (const parameter of parameters) parameter.write(this.#code);
    this.#code.byte(0x10);
    this.#code.unsigned(index);
  }

  /** Moves a pointer; nothing for 0. */
  advance(pointer: Local<"i32">, bytes: number): void {
    if (bytes !== 0) this.set(pointer, i32Add(pointer, i32(bytes)));
  }

  /**
   * Runs what `body` writes `count` times: not at all for 0, and without a loop for 1.
   * @param start the count, where it is in a local
   */
  times(count: number, body: () => void, start: Expression<"i32"> = i32(count)): void {
    if (count <= 0) return;
    if (count === 1) return body();
    this.#loop(start, body);
  }

  /** The same with a loop for 1, too: the count is a number of the shape, which another caller may pass otherwise. */
  rounds(count: number, body: () => void): void {
    if (count > 0) this.#loop(this.figure(count), body);
  }

  #loop(start: Expression<"i32">, body: () => void): void {
    const left = (this.#counters[this.#loops] ??= this.local("i32"));
    this.#loops += 1;
    this.set(left, start);
    this.#code.bytes([0x03, 0x40]); // loop, without a result
    body();
    this.#loops -= 1;
    tee(left, i32Subtract(left, i32(1))).write(this.#code);
    this.#code.bytes([0x0d, 0, 0x0b]); // back to it unless none is left; end
  }

  /** Runs what `then` writes where the condition is not 0, else what `otherwise` does. */
  when(condition: Expression<"i32">, then: () => void, otherwise?: () => void): void {
    condition.write(this.#code);
    this.#code.bytes([0x04, 0x40]); // if, without a result
    then();
    if (otherwise !== undefined) {
      this.#code.byte(0x05);
      otherwise();
    }
    this.#code.byte(0x0b);
  }

  /** Runs what `body` writes as long as the condition is not 0 before it. */
  repeatWhile(condition: Expression<"i32">, body: () => void): void {
    this.#code.bytes([0x03, 0x40]); // loop, without a result
    this.when(condition, () => {
      body();
      this.#code.bytes([0x0c, 1]); // back to the loop around this
    });
    this.#code.byte(0x0b);
  }

  /** Ends the run with an error where the condition is not 0. */
  trapWhen(condition: Expression<"i32">): void {
    this.when(condition, () => this.#code.byte(0x00));
  }

  /** The same where it is 0. */
  trapUnless(condition: Expression<"i32">): void {
    this.when(
      condition,
      () => {},
      () => this.#code.byte(0x00),
    );
  }

  /** Pointers are behind what `body` writes where they were before it. */
  keeping(pointers: readonly Local<"i32">[], body: () => void): void {
    const kept = pointers.map((pointer) => {
      const local = this.local("i32");
      this.set(local, pointer);
      return local;
    });
    body();
    pointers.forEach((pointer, at) => this.set(pointer, kept[at] ?? pointer));
  }

  /**
   * The function's body as the code section holds it.
   * @param guard is called before every access to memory
   */
  encoded(guard?: Guard): Uint8Array {
    const locals = [...this.#locals];
    const own = new Map<string, number>();
    const localOf = (type: ValueType | "address"): number => {
      const index =
        own.get(type) ?? this.arity + locals.push(type === "address" ? "i32" : type) - 1;
      own.set(type, index);
      return index;
    };
    const code = guard === undefined ? this.#code.written : guarded(this.#code, guard, localOf);
    const runs: { type: ValueType; count: number }[] = [];
    for (const type of locals) {
      const last = runs.at(-1);
      if (last?.type === type) last.count += 1;
      else runs.push({ type, count: 1 });
    }
    const body = new ByteWriter();
    body.unsigned(runs.length);
    for (const { type, count } of runs) {
      body.unsigned(count);
      body.byte(typeCode[type]);
    }
    body.bytes(this.#head.written);
    body.bytes(code);
    body.byte(0x0b);
    return body.written;
  }
}
