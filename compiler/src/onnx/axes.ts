import { PareError } from "@pare/runtime/format";
import { mostAxes } from "../ir/index.js";

/** @throws PareError MODEL_LIMIT */
export function checkAxes(count: number, where: string): void {
  if (count <= mostAxes) return;
  throw new PareError("MODEL_LIMIT", `${where} has ${count} axes; at most ${mostAxes} are read.`, {
    where,
    hint: "The file is most often damaged: export or copy it again.",
  });
}
