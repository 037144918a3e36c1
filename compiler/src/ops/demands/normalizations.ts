import { type Demand, isAxis, isOther, noSuchAxis } from "./demand.js";

const notOfChannels = "its numbers are not as many as its channels";

/** A number for each channel, in these inputs. */
const ofChannels =
  (...inputs: readonly number[]): Demand =>
  (context) => {
    const x = context.shape(0);
    if (x === undefined) return undefined;
    if (x.length < 2) return "it has no channels";
    return inputs.some((input) => isOther(context.shape(input), [x[1]]))
      ? notOfChannels
      : undefined;
  };

const groups: Demand = (context) => {
  const why = ofChannels(1, 2)(context);
  const [, channels] = context.shape(0) ?? [];
  const count = context.attributes.int("num_groups", 0);
  if (why !== undefined || typeof channels !== "number") return why;
  return count >= 1 && channels % count === 0 ? undefined : "its groups do not fit its channels";
};

const layer: Demand = (context) => {
  const rank = context.shape(0)?.length;
  if (!isAxis(context.attributes.int("axis", -1), rank)) return noSuchAxis;
  const isLarger = [1, 2].some((input) => (context.shape(input)?.length ?? 0) > (rank ?? Infinity));
  return isLarger ? "its scale has more axes than its input" : undefined;
};

export const normalizationDemands = {
  BatchNormalization: ofChannels(1, 2, 3, 4),
  InstanceNormalization: ofChannels(1, 2),
  GroupNormalization: groups,
  LayerNormalization: layer,
};
