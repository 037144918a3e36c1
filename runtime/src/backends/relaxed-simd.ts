/** A module with a function that gives a vector: the i8x16.popcnt of zeros. */
const simd = [
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 10, 10, 1, 8, 0, 0x41, 0,
  0xfd, 0x0f, 0xfd, 0x62, 0x0b,
];

/** A module that cannot be started where relaxed SIMD is not there, or what it computes is not right. */
const relaxed = [
  // A function of no parameters and results, with which it starts, and its code, which has a vector.
  0,
  0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 8, 1, 0, 10, 48, 1, 46, 1, 1, 0x7b,
  // i8x16.splat of −128, and of 127
  0x41, 0x80, 0x7f, 0xfd, 0x0f, 0x41, 0xff, 0, 0xfd, 0x0f,
  // f32x4.splat of 1, thrice, f32x4.relaxed_madd
  0x43, 0, 0, 0x80, 0x3f, 0xfd, 0x13, 0x22, 0, 0x20, 0, 0x20, 0, 0xfd, 0x85, 2,
  // i32x4.relaxed_dot_i8x16_i7x16_add_s, i32x4.extract_lane 0
  0xfd, 0x93, 2, 0xfd, 0x1b, 0,
  // unreachable unless it is 4 · −128 · 127 and the bits of 1 · 1 + 1
  0x41, 0x80, 0x84, 0xfc, 0xff, 3, 0x46, 0x0d, 0, 0, 0x0b,
];

/** WebAssembly computes on vectors here. */
export function hasSimd(): boolean {
  return WebAssembly.validate(Uint8Array.from(simd));
}

let found: boolean | undefined;
/**
 * Relaxed SIMD is there, multiplies, and its dot product is right: there are engines that know the instruction and answer
 * with twice the sum. False where nothing may be compiled.
 */
export function hasRelaxedSimd(): boolean {
  try {
    found ??= !!new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(relaxed)));
  } catch {
    found = false;
  }
  return found;
}
