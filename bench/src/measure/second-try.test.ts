import { onnxArtifact, PareError } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { SecondTry } from "./second-try.js";

const file = onnxArtifact(new Uint8Array(1));
const other = onnxArtifact(new Uint8Array(2));
const crashed = new PareError("ENGINE_CRASHED", "It is gone.");

function engine(...replies: readonly (string | PareError)[]) {
  const asked: (number | undefined)[] = [];
  const ask = async ({ limitMs }: { readonly limitMs?: number }): Promise<string> => {
    const reply = replies[asked.length] ?? "nothing";
    asked.push(limitMs);
    if (reply instanceof PareError) throw reply;
    return reply;
  };
  return { ask, asked };
}

it("asks again, for half as long, what files ask that ran before", async () => {
  const second = new SecondTry();
  const { ask, asked } = engine("ran", crashed, "ran again");
  expect(await second.ask([file], { limitMs: 1000 }, ask)).toBe("ran");
  expect(await second.ask([file], { limitMs: 1000 }, ask)).toBe("ran again");
  expect(asked).toEqual([1000, 1000, 500]);
});

it("asks once where one of the files never ran, where it is refused, and not a third time", async () => {
  const second = new SecondTry();
  const first = engine(crashed, "never asked");
  await expect(second.ask([file], {}, first.ask)).rejects.toBe(crashed);
  expect(first.asked).toHaveLength(1);
  await second.ask([file], {}, engine("ran").ask);
  await expect(second.ask([file, other], {}, engine(crashed).ask)).rejects.toBe(crashed);
  const refused = new PareError("ENGINE", "It is no model.");
  await expect(second.ask([file], {}, engine(refused, "never").ask)).rejects.toBe(refused);
  const twice = engine(crashed, crashed, "never asked");
  await expect(second.ask([file], {}, twice.ask)).rejects.toBe(crashed);
  expect(twice.asked).toHaveLength(2);
});
