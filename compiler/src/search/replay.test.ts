import { type Artifact, type Evidence, PareError } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { passes } from "../passes/index.js";
import { parseRecipe } from "../pipeline/recipe.js";
import { type Lock, parseLock } from "./lock.js";
import { optimize } from "./optimize.js";
import { replay } from "./replay.js";
import type { Optimized } from "./request.js";
import { bytesOf, original, requestFor } from "./search-request.test.support.js";
import { type Said, simulatedMeasure } from "./simulated-measure.test.support.js";

const recipe = parseRecipe({ steps: ["quantize-weights"] }, "own", passes);
const isSmall = (artifact: Artifact): boolean => bytesOf(artifact) < 0.4 * bytesOf(original);
const filesOf = ({ variants }: Optimized) => variants.map(({ files }) => files);

async function searched(say: (artifact: Artifact) => Said | PareError): Promise<Optimized> {
  return optimize(await requestFor(simulatedMeasure(say), { recipe }));
}

/** As it is read from a file. */
async function replayed(lock: object): Promise<Optimized> {
  const request = await requestFor(simulatedMeasure(() => ({})));
  return replay(request, parseLock(JSON.parse(JSON.stringify(lock))));
}

describe("a float model that the recipe does not simplify", () => {
  const hopeless = (artifact: Artifact): Said => (isSmall(artifact) ? { drop: 0.3 } : {});

  it.each<[string, boolean, (artifact: Artifact) => Said | PareError]>([
    ["in its normal form", false, hopeless],
    [
      "in its normal form, where the engine refuses it as it was",
      false,
      (artifact) => (artifact === original ? new PareError("ENGINE", "No.") : hopeless(artifact)),
    ],
    [
      "as it was, where that is faster",
      true,
      (artifact) => (artifact === original ? {} : { ...hopeless(artifact), ratio: 1.5 }),
    ],
  ])("is made again %s", async (_, asItWas, say) => {
    const first = await searched(say);
    const [variant] = first.variants;
    expect(variant).toMatchObject({ name: "float", groups: [] });
    expect(variant?.artifact === original).toBe(asItWas);
    expect(filesOf(await replayed(first.lock))).toEqual(filesOf(first));
  });
});

it("gives the float model's own sizes, and nothing that was seen of the chosen file", async () => {
  const { variants, lock } = await searched((artifact) =>
    isSmall(artifact) ? { ratio: 0.5 } : {},
  );
  expect(isSmall(variants[0]?.artifact ?? original)).toBe(true);
  const [again] = (await replayed(lock)).variants;
  expect(again?.measurement).toMatchObject({ startupMs: 20, memoryBytes: 1e7 });
  expect(again?.baseline).toEqual(variants[0]?.baseline);
  expect(again?.baseline).toMatchObject({ startupMs: 20, memoryBytes: 1e7 });
  expect(again?.baseline?.sizeBytes.raw).toBe(bytesOf(original));
});

describe("evidence", () => {
  const evidenceOf = async (lock: object): Promise<(Evidence | undefined)[]> =>
    (await replayed(lock)).variants.map(({ evidence }) => evidence);

  it("is the lock's, which a replay hands on", async () => {
    const { lock } = await searched(() => ({}));
    for (const evidence of ["labelled", "unlabelled", "none"] as const) {
      const said: Lock = { ...lock, evidence };
      expect(await evidenceOf(said)).toEqual([evidence]);
      expect((await replayed(said)).lock).toMatchObject({ evidence });
    }
  });

  it("is no more than is sure where the lock does not say", async () => {
    const { lock } = await searched(() => ({}));
    const { evidence: _, ...silent } = lock;
    expect(await evidenceOf(silent)).toEqual(["unlabelled"]);
    const targets = lock.targets.map((target) => ({ ...target, accuracy: null }));
    expect(await evidenceOf({ ...silent, targets })).toEqual(["none"]);
    expect((await replayed(silent)).lock).not.toHaveProperty("evidence");
  });

  it("of another kind is refused", async () => {
    const { lock } = await searched(() => ({}));
    await expect(replayed({ ...lock, evidence: "hearsay" })).rejects.toMatchObject({
      code: "LOCK",
      where: "evidence",
    });
  });
});
