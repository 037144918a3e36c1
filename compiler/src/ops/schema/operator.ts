import type { Parameter } from "../shape/rule.js";

/** Parameters from short text: `"X"` must be there, `"axes?"` may be left out, `"inputs..."` is the rest. */
export function parameters(...texts: readonly string[]): readonly Parameter[] {
  return texts.map((text) =>
    text.endsWith("...")
      ? { name: text.slice(0, -3), arity: "variadic" }
      : text.endsWith("?")
        ? { name: text.slice(0, -1), arity: "optional" }
        : { name: text, arity: "one" },
  );
}
