/** How a product of matrices is cut: rows and vectors of the result held in registers, steps of the sum per iteration. */
export interface Tile {
  readonly rows: number;
  readonly vectors: number;
  readonly unroll: number;
}

/** What code is generated for. */
export interface Engine {
  readonly name: "simd" | "relaxed-simd";
  /** It has a fused multiply-add, which may also round twice. */
  readonly fused: boolean;
  readonly matrix: Tile;
  /** Neighbouring results of a depthwise convolution held at once, by stride: they share what they read. */
  readonly depthwise: { readonly dense: number; readonly strided: number };
}

/**
 * Sixteen vector registers hold 6 × 2 sums, two vectors of weights and one of input. Without a fused instruction each
 * step needs one more for the product, and a second unrolled step spills. Both cut weights into panels of two vectors,
 * so that both modules read the same bytes.
 */
export const engines: readonly [Engine, Engine] = [
  {
    name: "simd",
    fused: false,
    matrix: { rows: 6, vectors: 2, unroll: 1 },
    depthwise: { dense: 3, strided: 2 },
  },
  {
    name: "relaxed-simd",
    fused: true,
    matrix: { rows: 6, vectors: 2, unroll: 2 },
    depthwise: { dense: 3, strided: 2 },
  },
];
