import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it } from "vitest";

const built = new URL("../../dist/engines/end-with-parent.js", import.meta.url).href;

const busy = `
  const { endWithParent } = await import(${JSON.stringify(built)});
  await endWithParent();
  console.log(process.pid);
  for (;;);
`;
const parent = `
  require("node:child_process").spawn(
    process.execPath,
    ["--input-type=module", "-e", ${JSON.stringify(busy)}],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  setInterval(() => {}, 1000);
`;

it("ends a process in an endless loop when its parent is killed", async () => {
  const killed = spawn(process.execPath, ["-e", parent], { stdio: ["ignore", "pipe", "inherit"] });
  const [said] = await once(killed.stdout, "data");
  const pid = Number(String(said));
  expect(isThere(pid)).toBe(true);
  killed.kill("SIGKILL");
  const deadline = performance.now() + 10_000;
  while (isThere(pid) && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 50));
  const outlived = isThere(pid);
  if (outlived) process.kill(pid, "SIGKILL");
  expect(outlived).toBe(false);
}, 20_000);

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
