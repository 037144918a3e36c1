import type { AttributeReader } from "../schema/attributes.js";
import type { Cells } from "../schema/schemas.js";

const kernel = (attributes: AttributeReader): number =>
  (attributes.ints("kernel_shape") ?? []).reduce((product, size) => product * size, 1);

/** How many elements are looked at for one of the result, where attributes say so: a file may make it any number. */
export const window: Cells<(attributes: AttributeReader) => number> = {
  AveragePool: kernel,
  LpPool: kernel,
  MaxPool: kernel,
  LRN: (attributes) => attributes.int("size", 1),
};
