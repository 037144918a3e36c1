import { readFile } from "node:fs/promises";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";

interface Asked {
  readonly id: number;
}
type Told = (event: object) => unknown;

/** The example's page, its model in a worker that answers when it is told to. */
async function openPage() {
  const text = await readFile(new URL("src/main.js", import.meta.url), "utf8");
  const code = text.replaceAll(/^import .*$/gm, "").replace("import.meta.url", '"file:///main.js"');
  const points: (readonly number[])[] = [];
  const context = {
    getImageData: () => ({ data: new Uint8Array(4) }),
    fillRect() {},
    beginPath: () => points.splice(0),
    lineTo: (...point: number[]) => points.push(point),
    stroke() {},
  };
  const canvas: Record<string, Told> = { getContext: () => context };
  const output = { value: "", dataset: {} };
  const parts: Readonly<Record<string, object>> = { canvas, output, button: {} };
  const asked: Asked[] = [];
  const workers: Worker[] = [];
  class Worker {
    onmessage?: Told;
    constructor() {
      workers.push(this);
    }
    postMessage(message: Asked): void {
      asked.push(message);
    }
  }
  const document = { baseURI: "file:///", querySelector: (name: string) => parts[name] };
  const location = { search: "?in=worker" };
  const others = { bundle: {}, document, location, URL, URLSearchParams, Worker };
  const shown = runInNewContext(`(async () => {${code}})()`, others);
  const answer = (place: number, digit: number): void => {
    const data = { id: asked[place]?.id, digit, logits: [], selection: {} };
    workers[0]?.onmessage?.({ data });
  };
  answer(0, 7);
  await shown;
  return { canvas, output, points, answer };
}

it("gives each stroke its own answer, whichever comes first", { timeout: 5000 }, async () => {
  const { canvas, output, answer } = await openPage();
  expect(output.value).toContain("7, says");
  const [one, two] = [canvas["onpointerup"]?.({}), canvas["onpointerup"]?.({})];
  answer(2, 2);
  await two;
  expect(output.value).toContain("2, says");
  answer(1, 1);
  await one;
  expect(output.value).toContain("1, says");
});

it("begins a drag that comes from outside where it comes in", async () => {
  const { canvas, points } = await openPage();
  points.splice(0);
  const drag = (offsetX: number): unknown =>
    canvas["onpointermove"]?.({ buttons: 1, offsetX, offsetY: 0 });
  drag(10);
  expect(points).toEqual([]);
  drag(20);
  expect(points).toEqual([[1, 0], [2, 0]]); // prettier-ignore
  canvas["onpointerleave"]?.({});
  drag(100);
  drag(110);
  expect(points).toEqual([[10, 0], [11, 0]]); // prettier-ignore
});
