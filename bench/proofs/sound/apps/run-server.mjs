// A server that a package brings: started on a free port, and ended with all that it started.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";

/** Milliseconds that it may take to answer. */
const patience = 60_000;

/** @param command a script in node_modules and its arguments, by port */
export async function runServer(folder, command) {
  const port = await freePort();
  const [script, ...args] = command(String(port));
  const child = spawn(process.execPath, [join(folder, "node_modules", script), ...args], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1" },
    detached: true,
  });
  let said = "";
  child.stderr.on("data", (chunk) => (said += chunk));
  const url = `http://127.0.0.1:${port}/`;
  const close = async () => {
    if (child.exitCode !== null || child.pid === undefined) return;
    const ended = once(child, "exit");
    process.kill(-child.pid, "SIGTERM");
    await ended;
  };
  for (const end = Date.now() + patience; Date.now() < end && child.exitCode === null;) {
    const answers = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answers) return { url, close };
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await close();
  throw new Error(`the server did not start: ${said.slice(-500)}`);
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
