import { PareError } from "@pare/runtime/format";
import type { PassDefinition, Registry } from "./pass.js";

/** @throws PareError RECIPE when there is no pass of this name */
export function findPass(passes: Registry, name: string): PassDefinition<string, unknown> {
  const found = passes.find((definition) => definition.name === name);
  if (found === undefined) {
    throw new PareError("RECIPE", `There is no pass "${name}".`, {
      where: name,
      hint: `The passes are ${passes.map((definition) => definition.name).join(", ")}.`,
    });
  }
  return found;
}
