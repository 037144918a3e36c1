export interface Parameter {
  readonly name: string;
  /** "one" must be there, "optional" may be left out, "variadic" is the rest. */
  readonly arity: "one" | "optional" | "variadic";
}

/** What an operator is at opset 21, or at version 1 of another domain. */
export interface OperatorSchema {
  readonly inputs: readonly Parameter[];
  readonly outputs: readonly Parameter[];
  /** The attributes it may carry. */
  readonly attributes: readonly string[];
  /** False where two equal nodes may give different results (RandomNormal). */
  readonly deterministic: boolean;
}

/**
 * A schema from short text: `operator("X W B? -> Y", "group pads")`. `B?` may be left out, `inputs...` is the rest;
 * then the attributes.
 */
export function operator(signature: string, attributes = ""): OperatorSchema {
  const [inputs = "", outputs = ""] = signature.split("->");
  return {
    inputs: words(inputs).map(parameter),
    outputs: words(outputs).map(parameter),
    attributes: words(attributes),
    deterministic: true,
  };
}

/** As `operator`, where each run may give other numbers. */
export function randomOperator(signature: string, attributes = ""): OperatorSchema {
  return { ...operator(signature, attributes), deterministic: false };
}

function words(text: string): readonly string[] {
  return text.split(" ").filter((word) => word !== "");
}

function parameter(text: string): Parameter {
  if (text.endsWith("...")) return { name: text.slice(0, -3), arity: "variadic" };
  if (text.endsWith("?")) return { name: text.slice(0, -1), arity: "optional" };
  return { name: text, arity: "one" };
}
