import { contentKey, sameBytes } from "../../ir/index.js";
import { Distinct } from "./distinct.js";
import {
  afterAll,
  beforeAll,
  type Buffer,
  type Constant,
  type Decoded,
  type Held,
  inVectors,
  type Place,
  type Plan,
  type Prepared,
} from "./plan.js";

/** Every buffer begins at a multiple of a cache line. */
const alignment = 64;
/** Kernels may read the rest of the vector in which a value ends: nothing lies at the very beginning or end. */
const margin = 64;

/** Where everything lies in a module's memory. */
export interface MemoryPlan {
  readonly addressOf: (place: Place) => number;
  /** Of buffers together, which share memory, and what they would take if they did not. */
  readonly arenaBytes: number;
  readonly unsharedBytes: number;
  readonly constantsAt: number;
  /** What the module comes with. */
  readonly constantBytes: number;
  /** What is made of its first part when it is started, in memory that ends with that part. */
  readonly decodedBytes: number;
  readonly memoryBytes: number;
}

const aligned = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;

export function planMemory(plan: Plan): MemoryPlan {
  return memoryOf(plan, arenaOf(plan), placeConstants([plan]));
}

/** Plans of which one is run at a time, in one memory. */
export interface Together {
  readonly entries: readonly { readonly plan: Plan; readonly memory: MemoryPlan }[];
  /** Of all of them, equal ones once, as they lie. */
  readonly constants: readonly Constant[];
  readonly decoded: readonly Decoded[];
  readonly prepared: readonly Prepared[];
}

/** The buffers of a plan lie over those of the others, and what is constant in several is kept once. */
export function planTogether(plans: readonly Plan[]): Together {
  const constants = placeConstants(plans);
  const arenas = plans.map((plan) => ({ plan, ...arenaOf(plan) }));
  const bytes = Math.max(0, ...arenas.map((arena) => arena.bytes));
  return {
    entries: arenas.map(({ plan, offsets }) => ({
      plan,
      memory: memoryOf(plan, { offsets, bytes }, constants),
    })),
    constants: constants.kept,
    decoded: constants.decoded,
    prepared: constants.prepared,
  };
}

interface Arena {
  readonly offsets: ReadonlyMap<Buffer, number>;
  readonly bytes: number;
}

function arenaOf({ buffers }: Plan): Arena {
  const offsets = placeBuffers(buffers);
  const bytes = buffers.reduce(
    (most, buffer) => Math.max(most, (offsets.get(buffer) ?? 0) + aligned(buffer.bytes)),
    0,
  );
  return { offsets, bytes };
}

interface PlacedConstants {
  /** From where what is decoded begins. */
  readonly offsets: ReadonlyMap<Held, number>;
  readonly kept: readonly Constant[];
  readonly decoded: readonly Decoded[];
  readonly decodedBytes: number;
  readonly prepared: readonly Prepared[];
  readonly preparedBytes: number;
  /** Of what the module comes with: where it begins, and how many they are. */
  readonly begin: number;
  readonly bytes: number;
}

/**
 * The codes of all that is decoded lie together, at the end of what their floats take: made from the first to the last, a
 * float lies over codes that were read already. Other constants follow, and then what is prepared of them.
 */
function placeConstants(plans: readonly Plan[]): PlacedConstants {
  const kept = new Distinct<Constant>((one, other) => sameBytes(one.bytes, other.bytes));
  const places = new Map<Held, number>();
  let rest = 0;
  for (const constant of plans.flatMap(({ constants }) => constants)) {
    const first = kept.firstLike(constant, contentKey(constant.bytes));
    places.set(constant, places.get(first) ?? rest);
    if (first === constant) rest += inVectors(constant.bytes.length);
  }
  const decoded = new Distinct<Decoded>((one, other) =>
    sameBytes(one.codes.bytes, other.codes.bytes),
  );
  const floats = new Map<Decoded, number>();
  const codes = new Map<Decoded, number>();
  let [decodedBytes, codeBytes] = [0, 0];
  for (const one of plans.flatMap((plan) => plan.decoded)) {
    const ways = one.steps.map(({ key, at }) => [key, ...at.map((place) => places.get(place.in))]);
    const first = decoded.firstLike(one, `${contentKey(one.codes.bytes)} ${ways.join()}`);
    floats.set(one, floats.get(first) ?? decodedBytes);
    codes.set(one, codes.get(first) ?? codeBytes);
    if (first !== one) continue;
    // Each has as much more room than its codes as a float than its code.
    const own = inVectors(one.codes.bytes.length);
    decodedBytes += own * (one.bytes / one.codes.bytes.length);
    codeBytes += own;
  }
  const begin = decodedBytes - codeBytes;
  const offsets = new Map<Held, number>();
  for (const [constant, at] of places) offsets.set(constant, decodedBytes + at);
  for (const [one, at] of floats) offsets.set(one, at);
  for (const [one, at] of codes) offsets.set(one.codes, begin + at);
  const prepared = new Map<string, Prepared>();
  let preparedBytes = 0;
  for (const one of plans.flatMap((plan) => plan.prepared)) {
    const from = ({ in: held, offset }: Place): unknown => [offsets.get(held), offset];
    const key = JSON.stringify([one.bytes, one.steps.map(({ key: kind, at }) => [kind, at.map(from)])]); // prettier-ignore
    const first = prepared.get(key);
    offsets.set(one, first === undefined ? decodedBytes + rest + preparedBytes : (offsets.get(first) ?? 0)); // prettier-ignore
    if (first !== undefined) continue;
    prepared.set(key, one);
    preparedBytes += inVectors(one.bytes);
  }
  return {
    offsets,
    kept: kept.all,
    decoded: decoded.all,
    decodedBytes,
    prepared: [...prepared.values()],
    preparedBytes,
    begin,
    bytes: codeBytes + rest,
  };
}

function memoryOf({ buffers }: Plan, arena: Arena, constants: PlacedConstants): MemoryPlan {
  const behind = margin + arena.bytes;
  const constantsAt = behind + constants.begin;
  return {
    addressOf: ({ in: held, offset }) =>
      offset +
      (held.kind === "buffer"
        ? margin + (arena.offsets.get(held) ?? 0)
        : behind + (constants.offsets.get(held) ?? 0)),
    arenaBytes: arena.bytes,
    unsharedBytes: buffers.reduce((sum, { bytes }) => sum + aligned(bytes), 0),
    constantsAt,
    constantBytes: constants.bytes,
    decodedBytes: constants.decodedBytes,
    memoryBytes: constantsAt + constants.bytes + constants.preparedBytes + margin,
  };
}

/** All constants, as they lie in memory. */
export function constantImage(
  { constants, decoded }: Pick<Plan, "constants" | "decoded">,
  { constantBytes }: MemoryPlan,
): Uint8Array {
  const image = new Uint8Array(constantBytes);
  let at = 0;
  for (const { bytes } of [...decoded.map(({ codes }) => codes), ...constants]) {
    image.set(bytes, at);
    at += inVectors(bytes.length);
  }
  return image;
}

/** Where a buffer lies. */
interface Placed {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly end: number;
}

/**
 * Best fit by size over lifetimes: the largest buffer first, each into the smallest gap that holds it between those that
 * live at the same time, or behind them.
 */
function placeBuffers(buffers: readonly Buffer[]): ReadonlyMap<Buffer, number> {
  const offsets = new Map<Buffer, number>();
  const placed = new ByLifetime(buffers);
  const bySize = [...buffers].sort((a, b) => b.bytes - a.bytes || a.first - b.first);
  for (const buffer of bySize) {
    const bytes = aligned(buffer.bytes);
    let best: { readonly offset: number; readonly gap: number } | undefined;
    let end = 0;
    for (const other of placed.livingWith(buffer)) {
      const gap = other.offset - end;
      if (gap >= bytes && (best === undefined || gap < best.gap)) best = { offset: end, gap };
      end = Math.max(end, other.end);
    }
    const offset = best?.offset ?? end;
    offsets.set(buffer, offset);
    placed.add({ buffer, offset, end: offset + bytes });
  }
  return offsets;
}

/**
 * Buffers by when they live, in spans of steps: most live for a few, and few beside another one. Where most live at the same
 * time, all of them, as they lie, are fewer than those of the spans together.
 */
class ByLifetime {
  readonly #spans: Placed[][] = [];
  readonly #asTheyLie: Placed[] = [];
  readonly #steps: number;
  readonly #stepsInSpan: number;

  constructor(buffers: readonly Buffer[]) {
    this.#steps = buffers
      .flatMap(({ first, last }) => [first, last])
      .reduce((most, time) => (time === afterAll ? most : Math.max(most, time - beforeAll + 1)), 1);
    this.#stepsInSpan = Math.ceil(Math.sqrt(this.#steps));
  }

  add(one: Placed): void {
    for (
      let span = this.#spanOf(one.buffer.first);
      span <= this.#spanOf(one.buffer.last);
      span += 1
    )
      (this.#spans[span] ??= []).push(one);
    let [low, high] = [0, this.#asTheyLie.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#asTheyLie[middle]?.offset ?? 0) <= one.offset) low = middle + 1;
      else high = middle;
    }
    this.#asTheyLie.splice(low, 0, one);
  }

  /** As they lie. */
  livingWith({ first, last }: Buffer): readonly Placed[] {
    const lives = ({ buffer }: Placed): boolean => buffer.first <= last && first <= buffer.last;
    // Those without any are holes, which are passed over.
    const spans = this.#spans.slice(this.#spanOf(first), this.#spanOf(last) + 1);
    const inSpans = spans.reduce((sum, { length }) => sum + length, 0);
    if (inSpans >= this.#asTheyLie.length) return this.#asTheyLie.filter(lives);
    const found = new Set(spans.flatMap((span) => span.filter(lives)));
    return [...found].sort((a, b) => a.offset - b.offset);
  }

  #spanOf(time: number): number {
    const step = time === afterAll ? this.#steps : time - beforeAll;
    return Math.floor(step / this.#stepsInSpan);
  }
}
