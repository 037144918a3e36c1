import type { Attributes } from "../../ir/index.js";
import type { Case } from "../../train/gradient-check.test.support.js";

/** One operator on all inputs. */
export function one(op: string, attributes: Attributes = {}): Case["build"] {
  return (inputs, { editor }) => editor.add1(op, inputs, attributes);
}

/** The inputs of a case of fixed many. */
export function only<T>(item: T | undefined): T {
  if (item === undefined) throw new Error("it is not there");
  return item;
}
