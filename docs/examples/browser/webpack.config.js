import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export default {
  mode: "production",
  entry: here("./src/main.js"),
  experiments: { outputModule: true, topLevelAwait: true },
  output: {
    path: here("./dist-webpack"),
    module: true,
    filename: "main.js",
    assetModuleFilename: "[name]-[contenthash][ext]",
  },
};
