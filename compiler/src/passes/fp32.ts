import { definePass } from "../pipeline/pass.js";
import { bringToFloat32 } from "./normal-form.js";

export const fp32 = definePass({
  name: "fp32",
  summary:
    "what is float16 or float64 in float32, weights too; inputs and outputs stay as they are",
  options: {},
  create: () => ({ exactness: "rounding", run: bringToFloat32 }),
});
