import type { Attribute } from "../../ir/index.js";
import type { Step } from "../opset/adapter.js";

/** Attributes that mean the same of the operator on floats, of those that a node has. */
export function kept(step: Step, names: string): Readonly<Record<string, Attribute>> {
  const found = names.split(" ").flatMap((name) => {
    const value = step.attributes.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(found);
}

export function refuseChannelsLast(step: Step): void {
  if (step.attributes.int("channels_last", 0) !== 0)
    step.refuse(
      "its channels are the last axis (channels_last): export the model before an engine optimizes it",
    );
}
