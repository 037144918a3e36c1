// A process that takes windows by number. A model makes the engine end it now and then.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compareWindow } from "./compare.mjs";
import { Windows } from "./windows.mjs";

const [list, place] = process.argv.slice(2);
const windows = new Windows(JSON.parse(readFileSync(list, "utf8")));

process.on("message", (number) => void reply(number));
process.on("disconnect", () => process.exit());
process.send({ ready: true });

async function reply(number) {
  process.send(await answer(number));
}

async function answer(number) {
  const window = await windows.at(number);
  if (window === null) return { outcome: "no window" };
  const { model, bytes, ...said } = window;
  // Who was at work is seen where the process ends, or is ended.
  const at = (who) => writeFileSync(join(place, "at-work"), who);
  at("engine");
  return { ...said, ...(await compareWindow(model, bytes, number, () => at("pare"))) };
}
