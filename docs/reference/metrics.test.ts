import { readFile } from "node:fs/promises";
import { metrics } from "@pare/bench";
import { expect, it } from "vitest";

it("says of every metric what it is, and of no other", async () => {
  const page = await readFile(new URL("metrics.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `([\w-]+)` .*\| (higher|lower) /gm)];
  const said = new Map(rows.map(([, name, direction]) => [name, direction]));
  said.set("top1-agreement", "higher");
  expect(page).toContain("`top1-agreement`, the share of samples");
  expect(said).toEqual(new Map([...metrics].map(([name, { direction }]) => [name, direction])));
});
