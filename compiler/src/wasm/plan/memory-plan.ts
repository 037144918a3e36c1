import { contentKey, sameBytes } from "../../ir/index.js";
import type { Buffer, Constant, Decoded, Place, Plan, Step } from "./plan.js";

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
  /** What is made of that when it is started, behind it. */
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
  /** Of all of them, equal ones once. */
  readonly constants: readonly Constant[];
  readonly decoded: readonly Decoded[];
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
  };
}

interface Arena {
  readonly offsets: ReadonlyMap<Buffer, number>;
  readonly bytes: number;
}

function arenaOf({ buffers }: Plan): Arena {
  const offsets = placeBuffers(buffers);
  const ends = buffers.map((buffer) => (offsets.get(buffer) ?? 0) + aligned(buffer.bytes));
  return { offsets, bytes: Math.max(0, ...ends) };
}

interface PlacedConstants {
  readonly offsets: ReadonlyMap<Constant | Decoded, number>;
  readonly kept: readonly Constant[];
  readonly bytes: number;
  readonly decoded: readonly Decoded[];
  readonly decodedBytes: number;
}

function placeConstants(plans: readonly Plan[]): PlacedConstants {
  const offsets = new Map<Constant | Decoded, number>();
  const alike = new Map<string, Constant[]>();
  const kept: Constant[] = [];
  let end = 0;
  for (const constant of plans.flatMap(({ constants }) => constants)) {
    const { bytes } = constant;
    const key = contentKey(bytes);
    const before = alike.get(key) ?? [];
    const same = before.find((other) => sameBytes(bytes, other.bytes));
    offsets.set(constant, (same && offsets.get(same)) ?? end);
    if (same !== undefined) continue;
    alike.set(key, [...before, constant]);
    kept.push(constant);
    end += Math.ceil(bytes.length / 16) * 16;
  }
  const bytes = end;
  const made = new Map<string, Decoded>();
  /** Of a decoding step, where the constants lie. */
  const sources = ({ at }: Step): string =>
    at
      .flatMap(({ in: held, offset }) =>
        held.kind === "constant" ? (offsets.get(held) ?? 0) + offset : [],
      )
      .join();
  for (const one of plans.flatMap(({ decoded }) => decoded)) {
    const key = one.steps.map((step) => `${step.key} ${sources(step)}`).join();
    const same = made.get(key);
    offsets.set(one, (same && offsets.get(same)) ?? end);
    if (same !== undefined) continue;
    made.set(key, one);
    end += one.bytes;
  }
  return { offsets, kept, bytes, decoded: [...made.values()], decodedBytes: end - bytes };
}

function memoryOf({ buffers }: Plan, arena: Arena, constants: PlacedConstants): MemoryPlan {
  const constantsAt = margin + arena.bytes;
  return {
    addressOf: ({ in: held, offset }) =>
      offset +
      (held.kind === "buffer"
        ? margin + (arena.offsets.get(held) ?? 0)
        : constantsAt + (constants.offsets.get(held) ?? 0)),
    arenaBytes: arena.bytes,
    unsharedBytes: buffers.reduce((sum, { bytes }) => sum + aligned(bytes), 0),
    constantsAt,
    constantBytes: constants.bytes,
    decodedBytes: constants.decodedBytes,
    memoryBytes: constantsAt + constants.bytes + constants.decodedBytes + margin,
  };
}

/** All constants, as they lie in memory. */
export function constantImage(
  { constants }: Pick<Plan, "constants">,
  { constantBytes }: MemoryPlan,
): Uint8Array {
  const image = new Uint8Array(constantBytes);
  let at = 0;
  for (const { bytes } of constants) {
    image.set(bytes, at);
    at += Math.ceil(bytes.length / 16) * 16;
  }
  return image;
}

/**
 * Best fit by size over lifetimes: the largest buffer first, each into the smallest gap that holds it between those that
 * live at the same time, or behind them.
 */
function placeBuffers(buffers: readonly Buffer[]): ReadonlyMap<Buffer, number> {
  const offsets = new Map<Buffer, number>();
  const bySize = [...buffers].sort((a, b) => b.bytes - a.bytes || a.first - b.first);
  for (const buffer of bySize) {
    const bytes = aligned(buffer.bytes);
    const beside = [...offsets]
      .filter(([other]) => other.first <= buffer.last && buffer.first <= other.last)
      .map(([other, offset]) => ({ offset, end: offset + aligned(other.bytes) }))
      .sort((a, b) => a.offset - b.offset);
    let best: { readonly offset: number; readonly gap: number } | undefined;
    let end = 0;
    for (const other of beside) {
      const gap = other.offset - end;
      if (gap >= bytes && (best === undefined || gap < best.gap)) best = { offset: end, gap };
      end = Math.max(end, other.end);
    }
    offsets.set(buffer, best?.offset ?? end);
  }
  return offsets;
}
