import type { Attribute } from "../../ir/index.js";
import type { Step } from "./adapter.js";

/** Attributes that mean the same of another operator, of those that a node has. */
export function kept(step: Step, names: string): Readonly<Record<string, Attribute>> {
  const found = names.split(" ").flatMap((name) => {
    const value = step.attributes.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(found);
}
