import { fileURLToPath } from "node:url";
import { app, BrowserWindow, ipcMain, protocol } from "electron";
import { startClassifier } from "./start-classifier.js";
import { answer } from "./answer.js";

// Before the app is ready: pages of app:// have an origin, may fetch, and are secure, as threads and WebGPU demand.
protocol.registerSchemesAsPrivileged([
  { scheme: "app", privileges: { standard: true, secure: true, supportFetchAPI: true } },
]);

app.whenReady().then(async () => {
  protocol.handle("app", answer);
  const classify = startClassifier();
  ipcMain.handle("classify", (_event, pixels) => classify(pixels));
  const window = new BrowserWindow({
    webPreferences: { preload: fileURLToPath(new URL("preload.cjs", import.meta.url)) },
  });
  await window.loadURL("app://digits/");
});

app.on("window-all-closed", () => app.quit());
