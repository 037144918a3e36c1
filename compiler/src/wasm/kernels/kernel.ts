import type { FunctionBuilder } from "../encode/function-builder.js";
import type { Engine } from "../engine.js";

/** A module's memory, as a reference reads and writes it. */
export interface Memory {
  readonly floats: Float32Array;
  readonly integers: Int32Array;
  readonly longs: BigInt64Array;
  readonly bytes: Uint8Array;
  readonly signedBytes: Int8Array;
}

/** @param buffer of whole 64-bit words */
export function memoryOver(buffer: ArrayBuffer): Memory {
  return {
    floats: new Float32Array(buffer),
    integers: new Int32Array(buffer),
    longs: new BigInt64Array(buffer),
    bytes: new Uint8Array(buffer),
    signedBytes: new Int8Array(buffer),
  };
}

/**
 * A template of code, cut to one shape by its options. Its function takes addresses alone, so that steps of equal shape
 * share one. All offsets and steps are in bytes.
 */
export interface Kernel<Options> {
  readonly name: string;
  readonly emit: (options: Options, engine: Engine) => FunctionBuilder;
  /** The same, element by element: what the function is tested against. Rounding aside, memory is equal afterwards. */
  readonly reference: (options: Options, memory: Memory, at: readonly number[]) => void;
}

/** Bytes of a float, and of a vector of four. */
export const floatBytes = 4;
export const vectorBytes = 16;
/** Floats in a vector. */
export const laneCount = 4;

export function vectorsOf(lanes: number): number {
  return Math.ceil(lanes / laneCount);
}

/** So many lanes or bytes, filled up to whole groups of four. */
export function inFours(count: number): number {
  return vectorsOf(count) * laneCount;
}
