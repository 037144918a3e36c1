import type { Attribute } from "../../ir/index.js";

/** Reads attributes with defaults; an attribute of another type than asked for reads as absent. */
export interface AttributeReader {
  int(name: string): number | undefined;
  int(name: string, fallback: number): number;
  float(name: string): number | undefined;
  float(name: string, fallback: number): number;
  string(name: string): string | undefined;
  string(name: string, fallback: string): string;
  ints(name: string): readonly number[] | undefined;
  floats(name: string): readonly number[] | undefined;
  get(name: string): Attribute | undefined;
  has(name: string): boolean;
}

/** Reads a node's attributes by type; see AttributeReader. */
export function attributeReader(attributes: ReadonlyMap<string, Attribute>): AttributeReader {
  function int(name: string): number | undefined;
  function int(name: string, fallback: number): number;
  function int(name: string, fallback?: number): number | undefined {
    const found = attributes.get(name);
    return found?.type === "int" ? clamp(found.value) : fallback;
  }
  function float(name: string): number | undefined;
  function float(name: string, fallback: number): number;
  function float(name: string, fallback?: number): number | undefined {
    const found = attributes.get(name);
    return found?.type === "float" ? found.value : fallback;
  }
  function string(name: string): string | undefined;
  function string(name: string, fallback: string): string;
  function string(name: string, fallback?: string): string | undefined {
    const found = attributes.get(name);
    return found?.type === "string" && typeof found.value === "string" ? found.value : fallback;
  }
  return {
    int,
    float,
    string,
    ints(name) {
      const found = attributes.get(name);
      return found?.type === "ints" ? found.value.map(clamp) : undefined;
    },
    floats(name) {
      const found = attributes.get(name);
      return found?.type === "floats" ? found.value : undefined;
    },
    get: (name) => attributes.get(name),
    has: (name) => attributes.has(name),
  };
}

/** 2^63−1 means "to the end": beyond 2^53 a number stays beyond every dimension. */
function clamp(value: bigint): number {
  const number = Number(value);
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, number));
}
