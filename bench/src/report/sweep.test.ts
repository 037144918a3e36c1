import { readFile } from "node:fs/promises";
import type { Measurement, Report, ReportStep } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { toHtml } from "./html.js";
import { sweep } from "./sweep.js";

const example: Report = JSON.parse(
  await readFile(new URL("../../schema/example-report.json", import.meta.url), "utf8"),
);
const measured = example.candidates.flatMap(({ target, measurement }): Measurement[] =>
  target === "cpu" && measurement !== null && measurement.accuracy !== null ? [measurement] : [],
);

function cutTo(index: number, verdict: ReportStep["verdict"], drop: number): ReportStep {
  const [some] = measured;
  if (some === undefined || some.accuracy === null) throw new Error("The example has candidates.");
  return {
    target: "cpu",
    name: `sweep-${index}: prune, distill`,
    verdict,
    reason: `drop ${drop}`,
    nodesBefore: 9,
    nodesAfter: 9,
    bytesBefore: 9,
    bytesAfter: 9,
    group: ["prune", "distill"],
    shares: [
      {
        use: "prune",
        constantBytes: { before: 9, after: 9 },
        parameters: { before: 9, after: 9 },
        macs: { before: Math.round(4000 / index), after: 3000 / index },
      },
    ],
    measurement: {
      ...some,
      sizeBytes: { ...some.sizeBytes, brotli: 400_000 / index },
      accuracy: { ...some.accuracy, drop, dropInterval: null },
    },
  };
}

const withSteps = (...steps: ReportStep[]): Report => ({ ...example, steps });

describe("a sweep of cuts", () => {
  const three = [cutTo(1, "kept", 0.001), cutTo(2, "kept", 0.005), cutTo(3, "reverted", 0.03)];
  const text = sweep(withSteps(...three))?.text ?? "";

  it("goes from the float model to each cut, and shows where it stayed", () => {
    const [size = ""] = text.split("<svg").slice(1);
    const line = /<polyline class="curve" points="([^"]+)"/.exec(size)?.[1]?.split(" ") ?? [];
    expect(line).toHaveLength(4);
    const across = line.map((point) => Number(point.split(",")[0]));
    expect(across).toEqual(across.toSorted((a, b) => b - a));
    const chosen = [...size.matchAll(/data-name="([^"]*)"(?:(?!<\/g)[^])*class="ring"/g)];
    expect(chosen.map(([, name]) => name)).toEqual(["sweep-2: prune, distill"]);
  });

  it("says what each left of the multiplications, and why one was turned down", () => {
    const said = [...text.matchAll(/<li>([^<]*)<\/li>/g)].map(([, line]) => line);
    expect(said).toEqual([
      "3000 of 4000 multiply-accumulates",
      "1500 of 2000 multiply-accumulates",
      "1000 of 1333 multiply-accumulates, turned down: drop 0.03",
    ]);
  });

  it("says of each pruning that is folded away what it cut", () => {
    const account = example.steps.flatMap(({ shares = [] }) =>
      shares.flatMap((share) => (share.account?.kind === "pruning" ? [share] : [])),
    );
    const steps = [0.5, 0.6].map((keep, at): ReportStep => ({
      ...cutTo(at + 1, "kept", 0),
      shares: account.map((share) => ({
        ...share,
        ...(share.account?.kind === "pruning" && { account: { ...share.account, keep } }),
      })),
    }));
    const page = toHtml(withSteps(...steps));
    const folded = [...page.matchAll(/<summary>prune for cpu[^<]*<span[^>]*>([^<]*)</g)];
    expect(folded.map(([, what]) => what)).toEqual([
      "· 48 of 112 channels of 2 layers cut",
      "· 48 of 112 channels of 2 layers cut",
    ]);
  });

  it("is no sweep with one cut, and chooses none where none stayed", () => {
    expect(sweep(withSteps(cutTo(1, "kept", 0)))).toBeNull();
    expect(toHtml(example)).not.toContain("How far it was cut");
    const none = [cutTo(1, "reverted", 0.1), cutTo(2, "reverted", 0.2)];
    const html = toHtml(withSteps(...none));
    expect(html).toContain("How far it was cut");
    expect(sweep(withSteps(...none))?.text).not.toContain('class="ring"');
  });
});
