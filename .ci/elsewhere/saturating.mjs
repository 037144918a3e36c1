import { join } from "node:path";
import { pathToFileURL } from "node:url";

export const saturating = {
  is: "every test, with integer kernels whose products saturate in pairs: the TypeScript reference in place of onnxruntime-node's",
  files: [],
  start(root) {
    const kernels = pathToFileURL(join(root, "fixtures/engines/saturate.mjs")).href;
    return {
      command: process.execPath,
      args: [],
      options: [],
      // Child processes inherit it: engines, and the command line.
      env: { NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} --import=${kernels}`.trim() },
    };
  },
};
