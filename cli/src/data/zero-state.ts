import { elementCount, type Feeds, PareError, type ValueInfo, zeros } from "@pare/runtime/format";

/** A gigabyte of floats. */
const mostElements = 2 ** 28;

/**
 * What a model's state is before the first step of a sequence: zeros; a dim that is free, as the batch often is, is 1.
 * @param state names of inputs
 * @throws PareError DATA_MODULE for one that the model does not have, or that cannot be zero
 */
export function zeroState(inputs: readonly ValueInfo[], state: readonly string[]): Feeds {
  return Object.fromEntries(
    state.map((name) => {
      const input = inputs.find((one) => one.name === name);
      if (input === undefined || input.type === "string")
        throw new PareError(
          "DATA_MODULE",
          input === undefined
            ? `\`state\` names the input "${name}", which the model does not have.`
            : `\`state\` names the input "${name}", whose text cannot begin as zeros.`,
          {
            where: "state",
            hint: `Export { outputName: "inputName" }. The model's inputs are ${inputs.map((one) => `"${one.name}"`).join(", ")}.`,
          },
        );
      const dims = input.dims.map((dim) => (typeof dim === "number" ? dim : 1));
      if (!(elementCount(dims) <= mostElements))
        throw new PareError(
          "DATA_MODULE",
          `The state "${name}" has ${elementCount(dims)} elements.`,
          {
            where: "state",
            hint: `Up to ${mostElements} are carried from step to step: say a smaller size by --shape.`,
          },
        );
      return [name, { type: input.type, dims, data: zeros(input.type, elementCount(dims)) }];
    }),
  );
}
