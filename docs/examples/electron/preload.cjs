// A sandboxed preload script is CommonJS. The page gets one function, and nothing of Electron or Node.
const { contextBridge, ipcRenderer } = require("electron");

contextBridge.exposeInMainWorld("digits", {
  classify: (pixels) => ipcRenderer.invoke("classify", [...pixels]),
});
