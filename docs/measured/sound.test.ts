import { access, readFile } from "node:fs/promises";
import { expect, it } from "vitest";

const root = new URL("../../", import.meta.url);
const page = await readFile(new URL("sound.md", import.meta.url), "utf8");

const named = [...page.matchAll(/`([\w./-]+\.test\.ts)` » ([^;|]+?) *(?=[;|]|$)/gm)].map(
  ([, file = "", title = ""]) => ({ file, title }),
);

it("names tests", () => {
  expect(named.length).toBeGreaterThan(20);
});

it.each(named)("has the test $file » $title", async ({ file, title }) => {
  expect(await readFile(new URL(file, root), "utf8")).toContain(title);
});

const proofs = new Set([...page.matchAll(/`(sound\/[\w-]+)`/g)].map(([, name = ""]) => name));

it.each([...proofs])("has the proof %s", async (name) => {
  await access(new URL(`bench/proofs/${name}.mjs`, root));
});
