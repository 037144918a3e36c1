// The network that is made small: a ResNet-8 that has learned from all of the articles of clothing.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pare, scratch } from "../../shell.mjs";
import { keptModel } from "./kept-model.mjs";
import { bytesOf, residual } from "./networks.mjs";

/** Channels of the first stage: a network whose time is its multiplications', not the engine's fixed costs. */
const width = 32;
const epochs = 3;
const data = "fixtures/data/fashion-mnist.mjs";

/** The bytes of its file, taught by `pare distill`. */
export async function clothesNetwork(root) {
  const untrained = await bytesOf(residual({ width }));
  const learning = ["--data", data, "--epochs", `${epochs}`, "--batch", "64", "--rate", "0.003"];
  return keptModel(root, `residual-${width}`, [untrained, ...learning], () =>
    scratch(async (folder) => {
      const [start, float] = ["start.onnx", "float.onnx"].map((name) => join(folder, name));
      writeFileSync(start, untrained);
      const taught = await pare(root, ["distill", start, ...learning, "-o", float], { echo: true });
      if (taught.code !== 0) throw new Error(`distill: exit ${taught.code}: ${taught.stderr}`);
      return readFileSync(float);
    }),
  );
}
