import { spawn } from "node:child_process";

/** The platform's own way to open an address in the default browser; null where there is no desktop to open it on. */
function opener(address: string): readonly [command: string, ...args: string[]] | null {
  const { platform, env } = process;
  if (platform === "darwin") return ["open", address];
  // Not `start`, which is the shell's: it would read characters of the address as its own.
  if (platform === "win32") return ["rundll32", "url.dll,FileProtocolHandler", address];
  const hasDesktop = [env["DISPLAY"], env["WAYLAND_DISPLAY"], env["BROWSER"]].some(Boolean);
  return hasDesktop ? ["xdg-open", address] : null;
}

/** An opener that goes on for so long has found something to open. */
const patienceMs = 3_000;

/** Opens an address in the default browser. @returns whether that was possible */
export async function openAddress(address: string): Promise<boolean> {
  const found = opener(address);
  if (found === null) return false;
  const [command, ...args] = found;
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: "ignore", detached: true });
    const settle = (opened: boolean): void => {
      clearTimeout(timer);
      resolve(opened);
    };
    const timer = setTimeout(() => settle(true), patienceMs);
    child.once("error", () => settle(false));
    child.once("exit", (code) => settle(code === 0));
    child.unref();
  });
}
