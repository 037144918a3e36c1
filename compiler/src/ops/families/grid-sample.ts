import type { AttributeReader } from "../schema/attributes.js";

/** How GridSample looks between and beyond the places of an image; see its definition in ONNX's operators. */
export interface GridSampling {
  readonly mode: "nearest" | "linear" | "cubic";
  /** Beyond the image lie zeros, what is at its border, or what a mirror there shows. */
  readonly padding: "zeros" | "border" | "reflection";
  /** −1 and 1 are the middles of the outermost places, else their outer edges. */
  readonly aligned: boolean;
}

/** Undefined for words that ONNX does not know. */
export function gridSampling(attributes: AttributeReader): GridSampling | undefined {
  const mode = attributes.string("mode", "linear");
  const padding = attributes.string("padding_mode", "zeros");
  if (mode !== "nearest" && mode !== "linear" && mode !== "cubic") return undefined;
  if (padding !== "zeros" && padding !== "border" && padding !== "reflection") return undefined;
  return { mode, padding, aligned: attributes.int("align_corners", 0) !== 0 };
}

/** Of how many places along an axis a point is made, and how far the first lies from the one before the point. */
export const tapCount = { nearest: 1, linear: 2, cubic: 4 } as const;
export const firstTap = { nearest: 0, linear: 0, cubic: -1 } as const;

interface Ends {
  readonly least: number;
  readonly range: number;
}

/** Where mirrors stand: at the outermost places' middles or outer edges. */
export function endsOf({ aligned }: Pick<GridSampling, "aligned">, size: number): Ends {
  return aligned ? { least: 0, range: size - 1 } : { least: -0.5, range: size };
}

/** Thrown back at both ends of an axis as often as needed. */
export function reflected(x: number, { least, range }: Ends): number {
  if (range === 0) return least;
  // There and back again is a period.
  const rest = (x - least) % (2 * range);
  return least + range - Math.abs((rest < 0 ? rest + 2 * range : rest) - range);
}

/** The coefficient a of the cubic that ONNX has here. */
export const gridCubic = -0.75;

/**
 * `cubicAt` with that coefficient, written out: of the four places around a point, the factors of 1, s, s² and s³, where s
 * is how far it lies beyond the second.
 */
export const cubicFactors = [
  [0, -0.75, 1.5, -0.75],
  [1, 0, -2.25, 1.25],
  [0, 0.75, 1.5, -1.25],
  [0, 0, -0.75, 0.75],
] as const;
