import type { Dtype } from "./dtype.js";

/** What a model takes and gives. A dim that is text or null is free. */
export interface ValueInfo {
  readonly name: string;
  readonly type: Dtype;
  readonly dims: readonly (number | string | null)[];
}
