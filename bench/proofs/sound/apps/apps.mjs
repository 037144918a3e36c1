// The apps that the guides describe, and the versions that they are followed with.

/** What `npm i` in a guide brings; the packed runtime comes on top. */
export const versions = {
  "onnxruntime-web": "onnxruntime-web@1.30.0",
  "onnxruntime-node": "onnxruntime-node@1.30.0",
  react: "react@19.3.1",
  "react-dom": "react-dom@19.3.1",
  next: "next@16.4.6",
  webpack: "webpack@5.113.0",
  "webpack-cli": "webpack-cli@7.3.1",
  "@rspack/core": "@rspack/core@2.3.4",
  "@rspack/cli": "@rspack/cli@2.2.8",
  esbuild: "esbuild@0.28.2",
  rollup: "rollup@4.69.3",
  "@rollup/plugin-node-resolve": "@rollup/plugin-node-resolve@16.0.3",
  "@rollup/plugin-json": "@rollup/plugin-json@6.1.0",
  parcel: "parcel@2.16.4",
  electron: "electron@45.5.0",
  "electron-builder": "electron-builder@26.17.0",
  vite: "vite@8.3.8",
  "@vitejs/plugin-react": "@vitejs/plugin-react@6.3.0",
};
const vite7 = { vite: "vite@7.3.8", "@vitejs/plugin-react": "@vitejs/plugin-react@5.2.0" };

const vite = (port) => ["vite/bin/vite.js", "--port", port, "--host", "127.0.0.1"];

/**
 * `sections` of the guide; `output`: the folder of static files that it builds. `start`: the server that it starts instead,
 * and `dev` the one for development: a script of a package and its arguments, by port. `policy`: served under the content
 * security policy. `workers`: those that the app itself starts.
 */
const inStatic = { output: "dist", policy: true, workers: 0 };
const react = { ...inStatic, guide: "react-and-vite", sections: [], dev: vite };
const bundled = { ...inStatic, guide: "webpack" };
const worker = { ...inStatic, guide: "worker", workers: 1 };

export const apps = [
  { ...react, name: "React on Vite 8" },
  { ...react, name: "React on Vite 7", versions: vite7 },
  { ...react, name: "React on Vite 8 with wasmPaths", sections: ["The engine's files by hand"] },
  {
    name: "Next",
    guide: "next",
    start: (port) => ["next/dist/bin/next", "start", "-p", port, "-H", "127.0.0.1"],
    workers: 0,
  },
  { ...bundled, name: "webpack", sections: ["Followed files", "webpack"] },
  { ...bundled, name: "Rspack", sections: ["Followed files", "Rspack"] },
  { ...bundled, name: "esbuild", sections: ["Static files", "esbuild"] },
  { ...bundled, name: "Rollup", sections: ["Static files", "Rollup"] },
  { ...bundled, name: "Parcel", sections: ["Static files", "Parcel"] },
  { ...worker, name: "a worker on Vite 8", sections: ["Vite"], dev: vite },
  { ...worker, name: "a worker on Vite 7", sections: ["Vite"], versions: vite7, dev: vite },
  { ...worker, name: "a worker on webpack", sections: ["webpack"] },
];
