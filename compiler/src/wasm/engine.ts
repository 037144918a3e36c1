/** How a product of matrices is cut. */
export interface MatrixTile {
  /** Rows and vectors of the result held in registers. */
  readonly rows: number;
  readonly vectors: number;
  /** Steps of the sum per iteration. */
  readonly unroll: number;
  /** Bytes of weights that stay in the nearest cache, and leave room there for the rest. */
  readonly near: number;
}

/** What code is generated for. */
export interface Engine {
  readonly name: "simd" | "relaxed-simd";
  /** It has a fused multiply-add, which may also round twice. */
  readonly fused: boolean;
  /**
   * How many numbers of a shape the functions of float kernels take, so that alike shapes share one. Fused products are
   * slower by it.
   */
  readonly numbers: number;
  readonly matrix: MatrixTile;
  /** Neighbouring results of a depthwise convolution held at once, by stride: they share what they read. */
  readonly depthwise: {
    readonly dense: number;
    readonly strided: number;
    /** Bytes of rows, those of the kernel and of the result, that stay in the nearest cache. */
    readonly near: number;
  };
}

/** How many numbers of a shape the functions of kernels of bytes take: they are as fast. */
export const numbersOfBytes = 32;

/**
 * Sixteen vector registers hold 6 × 2 sums, two vectors of weights and one of input. Without a fused instruction each
 * step needs one more for the product, and engines that have none load all inputs of a step before the first product: 4 × 2
 * sums are what does not spill, and products and sums go to different units. Both cut weights into panels of two vectors,
 * so that both modules read the same bytes.
 */
export const engines: readonly [Engine, Engine] = [
  {
    name: "simd",
    fused: false,
    numbers: 32,
    matrix: { rows: 4, vectors: 2, unroll: 1, near: 16384 },
    depthwise: { dense: 6, strided: 4, near: 49152 },
  },
  {
    name: "relaxed-simd",
    fused: true,
    numbers: 0,
    matrix: { rows: 6, vectors: 2, unroll: 2, near: 16384 },
    depthwise: { dense: 6, strided: 4, near: 49152 },
  },
];
