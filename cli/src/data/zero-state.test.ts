import { expect, it } from "vitest";
import { zeroState } from "./zero-state.js";

it("is zeros of the input's type, a free dim of one", () => {
  const h = { name: "h", type: "float16", dims: [2, "batch", 3] } as const;
  expect(zeroState([h], ["h"])).toEqual({
    h: { type: "float16", dims: [2, 1, 3], data: new Uint16Array(6) },
  });
});

it("is refused before it is made where a model's sizes are beyond any memory", () => {
  const h = { name: "h", type: "float32", dims: [2 ** 31, 2 ** 20] } as const;
  expect(() => zeroState([h], ["h"])).toThrow(expect.objectContaining({ code: "DATA_MODULE" }));
});
