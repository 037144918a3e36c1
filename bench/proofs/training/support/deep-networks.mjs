// Networks of many layers, in batches whose activations are most of what a training step holds.
import { pictures } from "./compared-networks.mjs";
import { encoder } from "./encoder.mjs";
import { inverted, residual } from "./networks.mjs";

export const deep = {
  "resnet-20": {
    called: "ResNet-20",
    batch: 128,
    steps: 2,
    build: () => residual({ blocks: 3, input: [3, 32, 32] }),
    samples: pictures([3, 32, 32]),
  },
  "inverted-residuals": {
    called: "depthwise inverted residuals",
    batch: 128,
    steps: 2,
    build: () => inverted(),
    samples: pictures([1, 28, 28]),
  },
  encoder: {
    called: "a transformer encoder of twelve layers",
    batch: 64,
    steps: 2,
    build: () => encoder({ layers: 12 }),
    samples: pictures([1, 28, 28]),
  },
};
