import { defineConfig } from "vite";

export default defineConfig({
  base: "./",
  build: { target: "es2022" },
  worker: { format: "es" },
  // The engine finds its .wasm beside its own module, so Vite must leave it where it is.
  optimizeDeps: { exclude: ["onnxruntime-web"] },
  server: {
    // With these two headers a page may use threads.
    headers: {
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    },
  },
});
