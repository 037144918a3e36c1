import { readFile } from "node:fs/promises";
import { runInNewContext } from "node:vm";
import { expect, it, vi } from "vitest";
import { blocks } from "./guide.test.support.js";

type Ask = (pixels: readonly number[]) => Promise<string>;

const model = { run: async () => ({ logits: { data: [7] } }) };

/** What a module does without what it imports and what it exports; the first `load` fails. */
function run(code: string, last: string, others: object = {}) {
  const load = vi.fn(async () => model).mockRejectedValueOnce({ code: "NETWORK", message: "" });
  const own = code.replaceAll(/^import .*$|^export [^]*/gm, "");
  const context = { load, digits: {}, backends: [], wasm: () => ({}), webgpu: () => ({}) };
  return { load, last: runInNewContext(`${own}\n${last}`, { ...context, ...others }) };
}

/** Asks for an answer three times. */
async function expectSecondLoad(load: () => unknown, ask: Ask): Promise<void> {
  await expect(ask([])).rejects.toMatchObject({ code: "NETWORK" });
  expect(await ask([])).toContain("7");
  expect(await ask([])).toContain("7");
  expect(load).toHaveBeenCalledTimes(2);
}

it.each(["react-and-vite", "next"])("%s: loads again what failed to load", async (guide) => {
  const code = (await blocks(guide, "jsx")).find((each) => each.includes("loading"));
  const { load, last } = run(code ?? "", "classify");
  await expectSecondLoad(load, last);
});

it("worker: loads again what failed to load", async () => {
  const [code = ""] = await blocks("worker", "js");
  const answers: { readonly logits?: number[]; readonly error?: string }[] = [];
  const self = { postMessage: (answer: object) => answers.push(answer) };
  const { load, last } = run(code, "self.onmessage", { self });
  for (const id of [1, 2, 3]) await last({ data: { id, pixels: [] } });
  expect(answers).toEqual([
    { id: 1, error: expect.stringContaining("NETWORK") },
    { id: 2, logits: [7] },
    { id: 3, logits: [7] },
  ]);
  expect(load).toHaveBeenCalledTimes(2);
});

it("the browser example loads again what failed to load", async () => {
  const file = new URL("../examples/browser/src/digits.js", import.meta.url);
  const code = (await readFile(file, "utf8")).replace("export function", "function");
  const { load, last } = run(code, "digitsFrom({})");
  await expectSecondLoad(load, async (pixels) => String((await last(pixels)).logits));
});
