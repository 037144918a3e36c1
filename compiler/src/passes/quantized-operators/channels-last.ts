import type { Step } from "../opset/adapter.js";

export function refuseChannelsLast(step: Step): void {
  if (step.attributes.int("channels_last", 0) !== 0)
    step.refuse(
      "its channels are the last axis (channels_last): export the model before an engine optimizes it",
    );
}
