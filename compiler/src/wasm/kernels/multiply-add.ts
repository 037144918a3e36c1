import { f32x4, type Vector } from "../encode/expression.js";

/** x·y + z: in one instruction where the engine has it. */
export function multiplyAdd(x: Vector, y: Vector, z: Vector, fused: boolean): Vector {
  return fused ? f32x4.relaxedMultiplyAdd(x, y, z) : f32x4.add(f32x4.multiply(x, y), z);
}
