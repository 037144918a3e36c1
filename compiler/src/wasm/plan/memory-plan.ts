import type { Buffer, Constant, Place, Plan } from "./plan.js";

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
  readonly constantBytes: number;
  readonly memoryBytes: number;
}

const aligned = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;

export function planMemory({ buffers, constants }: Plan): MemoryPlan {
  const offsets = placeBuffers(buffers);
  const sizes = buffers.map(({ bytes }) => aligned(bytes));
  const arenaBytes = Math.max(0, ...buffers.map((b) => (offsets.get(b) ?? 0) + aligned(b.bytes)));
  const constantsAt = margin + arenaBytes;
  const constantOffsets = new Map<Constant, number>();
  let constantBytes = 0;
  for (const constant of constants) {
    constantOffsets.set(constant, constantBytes);
    constantBytes += Math.ceil(constant.bytes.length / 16) * 16;
  }
  return {
    addressOf: ({ in: held, offset }) =>
      offset +
      (held.kind === "buffer"
        ? margin + (offsets.get(held) ?? 0)
        : constantsAt + (constantOffsets.get(held) ?? 0)),
    arenaBytes,
    unsharedBytes: sizes.reduce((sum, size) => sum + size, 0),
    constantsAt,
    constantBytes,
    memoryBytes: constantsAt + constantBytes + margin,
  };
}

/** All constants, as they lie in memory. */
export function constantImage({ constants }: Plan, { constantBytes }: MemoryPlan): Uint8Array {
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
