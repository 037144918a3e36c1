/** A module with a function that gives a vector: the i8x16.popcnt of zeros. */
const simd = [
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 10, 10, 1, 8, 0, 0x41, 0,
  0xfd, 0x0f, 0xfd, 0x62, 0x0b,
];

/**
 * A module that cannot be started where relaxed SIMD is not there, or what it computes is not right. In base64, which is
 * short in a loader:
 *
 *   (module
 *     (func $check (local $one v128)
 *       (i32x4.extract_lane 0
 *         (i32x4.relaxed_dot_i8x16_i7x16_add_s
 *           (i8x16.splat (i32.const -128))
 *           (i8x16.splat (i32.const 127))
 *           (f32x4.relaxed_madd (local.tee $one (f32x4.splat (f32.const 1))) (local.get $one) (local.get $one))))
 *       ;; 4 · −128 · 127, and the bits of 1 · 1 + 1
 *       (br_if 0 (i32.eq (i32.const 0x3fff0200)))
 *       unreachable)
 *     (start $check))
 */
const relaxed =
  "AGFzbQEAAAABBAFgAAADAgEACAEACjABLgEBe0GAf/0PQf8A/Q9DAACAP/0TIgAgACAA/YUC/ZMC/RsAQYCE/P8DRg0AAAs=";

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
    found ??= !!new WebAssembly.Instance(
      new WebAssembly.Module(Uint8Array.from(atob(relaxed), (each) => each.charCodeAt(0))),
    );
  } catch {
    found = false;
  }
  return found;
}
