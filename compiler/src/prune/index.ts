export { cutChannels, type GroupCut } from "./cut.js";
export { cutUnread } from "./cut-unread.js";
export { type Blocked, channelGroups, type Group, type Groups } from "./groups.js";
export { type Gradients, type Importance, importances, looksAtSamples } from "./importance.js";
export { maskChannels } from "./mask.js";
export { planPruning, type PrunePlan, type PruneWish } from "./prune.js";
export { nominalSize } from "../analysis/nominal-sizes.js";
export { countNominalMacs, prunableWork, type PrunableWork } from "./sizes.js";
