import { fileURLToPath } from "node:url";

// Nothing here is for Pare: webpack follows a bundle by itself.
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export default {
  mode: "production",
  entry: here("./src/main.js"),
  output: { path: here("./dist-webpack"), filename: "main.js" },
};
