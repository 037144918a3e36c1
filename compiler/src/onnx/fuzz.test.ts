import { byteSource, isPareError } from "@pare/runtime/format";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { backendTests } from "../../../fixtures/scripts/backend-tests.mjs";
import { verifyGraph } from "../ir/index.js";
import { inferNode } from "../ops/index.js";
import { decodeModel, encodeModel, type Message, readMessage, writeMessage } from "./index.js";
import { Slice } from "./slice.js";

const models = (await backendTests()).map(({ model }) => model);
const chosen = fc.nat(models.length - 1).map((index) => models[index] ?? new Uint8Array());

/** Opens and writes to the same end twice, or refuses with a code that says why. */
async function openOrRefuse(bytes: Uint8Array): Promise<void> {
  try {
    const graph = await decodeModel({ proto: byteSource(bytes) }, { infer: inferNode });
    verifyGraph(graph);
    const once = await encodeModel(graph);
    const again = await encodeModel(await decodeModel({ proto: byteSource(once.proto) }));
    expect(Buffer.compare(again.proto, once.proto)).toBe(0);
  } catch (error) {
    if (!isPareError(error)) throw error;
    expect(error.code).toMatch(/^(MODEL_|EXTERNAL_DATA)/);
  }
}

test("any bytes open, or are refused", async () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(chosen, changes, fc.option(fc.nat()), async (model, mutations, cut) => {
      const bytes = cut === null ? model.slice() : model.slice(0, cut % (model.length + 1));
      for (const [at, value] of mutations) {
        if (bytes.length > 0) bytes[at % bytes.length] = value;
      }
      await openOrRefuse(bytes);
    }),
    { numRuns: 1500 },
  );
});

const integers = [
  0n,
  -1n,
  1n,
  100_000n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];

/** Every place in a message where something can be changed, and how; `pick` chooses below its argument. */
function changesOf(
  message: Message<"ModelProto">,
  pick: (below: number) => number,
): (() => void)[] {
  const changes: (() => void)[] = [];
  const texts: string[] = [];
  const visit = (value: unknown, set: (value: unknown) => void): void => {
    if (typeof value === "bigint") changes.push(() => set(integers[pick(integers.length)]));
    else if (typeof value === "number") changes.push(() => set(pick(120) - 2));
    else if (typeof value === "string") {
      texts.push(value);
      changes.push(() => set(texts[pick(texts.length)]));
    } else if (value instanceof Uint8Array)
      changes.push(() => set(value.subarray(0, pick(value.length + 1))));
    else if (Array.isArray(value)) {
      value.forEach((item, index) => visit(item, (next) => (value[index] = next)));
      if (value.length > 0) {
        changes.push(() => value.splice(pick(value.length), 1));
        changes.push(() => value.push(value[pick(value.length)]));
        changes.push(() => value.reverse());
      }
    } else if (typeof value === "object" && value !== null && !(value instanceof Slice)) {
      const fields = value as Record<string, unknown>;
      for (const name of Object.keys(fields)) {
        visit(fields[name], (next) => (fields[name] = next));
        changes.push(() => delete fields[name]);
      }
    }
  };
  visit(message, () => {});
  return changes;
}

test("any change of what a model says opens, or is refused", async () => {
  const choices = fc.array(fc.nat(), { minLength: 6, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(chosen, choices, async (model, numbers) => {
      const message = await readMessage("ModelProto", byteSource(model));
      let next = 0;
      const pick = (below: number) => (numbers[next++ % numbers.length] ?? 0) % Math.max(1, below);
      for (let times = 1 + pick(3); times > 0; times -= 1) {
        const changes = changesOf(message, pick);
        changes[pick(changes.length)]?.();
      }
      await openOrRefuse(await writeMessage("ModelProto", message));
    }),
    { numRuns: 500 },
  );
});
