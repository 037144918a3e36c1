import { readFile } from "node:fs/promises";
import type { Report, StepShare } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { accountsOf } from "./accounts.js";
import { cut } from "./cut.js";
import { toHtml } from "./html.js";
import { learned } from "./learned.js";
import { toMarkdown } from "./markdown.js";
import { shareTable } from "./shares.js";

const example: Report = JSON.parse(
  await readFile(new URL("../../schema/example-report.json", import.meta.url), "utf8"),
);
const told = example.steps.flatMap(({ group, shares = [] }) =>
  group?.includes("distill") ? shares : [],
);
const text = (markup: { readonly text: string } | null): string =>
  (markup?.text ?? "").replaceAll(/\s+/g, " ");

/** The example with other shares in each of its variants, and in no step. */
const written = (shares: readonly StepShare[]): Report => ({
  ...example,
  steps: [],
  variants: example.variants.map((variant) => ({ ...variant, shares })),
});

describe("what passes told of their work", () => {
  it("stands once where targets share it, whether it was written or not", () => {
    const [turnedDown] = accountsOf(example, "pruning");
    expect(turnedDown).toMatchObject({ use: "prune", targets: ["cpu"], isWritten: false });
    expect(accountsOf(written(told), "training")).toMatchObject([
      { use: "distill", targets: ["cpu", "wasm", "webgpu"], isWritten: true, tookMs: 21400 },
    ]);
    const both = { ...written(told), steps: example.steps };
    expect(accountsOf(both, "pruning")).toMatchObject([{ isWritten: true }]);
    expect(toHtml(both)).toContain("prune for cpu, wasm, webgpu</h3>");
    expect(toHtml(example)).toContain("prune for cpu, not in what was written</h3>");
  });

  it("is in neither report where nothing was told", () => {
    const silent = written([]);
    for (const page of [toHtml(silent), toMarkdown(silent)])
      for (const title of ["What each step did", "What was cut", "What was learned"])
        expect(page).not.toContain(title);
  });
});

describe("each step's share", () => {
  it.each([
    ["html", text(shareTable(written(told)))],
    ["md", toMarkdown(written(told))],
  ])("is told in %s", (_, page) => {
    expect(page).toContain("541 kB → 382 kB");
    expect(page).toContain("31.5 M → 18.9 M");
    expect(page).toContain("48 of 112 channels of 2 layers cut");
    expect(page).toContain("loss 2.31 → 0.440, right of the labels 61.0 % → 96.2 %");
  });

  it("says times less where something got smaller, and what took long", () => {
    const page = text(shareTable(written(told)));
    expect(page).toContain("0.60×");
    expect(page).toContain("96.2 %; 21.4 s");
    expect(page).not.toContain("0.212 s");
    expect(page).not.toContain("1.00×");
  });
});

describe("what was cut", () => {
  const page = text(cut(example));

  it("has a bar for each channel, in the colour of what became of it", () => {
    const charts = page.split("<svg").slice(1);
    const bars = charts.map((chart) => [
      chart.match(/class="kept"/g)?.length ?? 0,
      chart.match(/class="cut"/g)?.length ?? 0,
    ]);
    expect(bars).toEqual([
      [8, 8],
      [19, 13],
      [4, 0],
    ]);
  });

  it("draws bars as wide as the channels that they stand for, and as high as these matter", () => {
    const [, , wide = ""] = page.split("<svg");
    const bars = [
      ...wide.matchAll(/x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/g),
    ];
    const numbers = bars.map((bar) => bar.slice(1).map(Number));
    const [first, last] = [numbers[0] ?? [], numbers.at(-1) ?? []];
    expect(first[3]).toBe(30);
    expect(last[3]).toBeCloseTo((30 * 0.15) / 2.2, 0);
    for (const [, y = 0, , height = 0] of numbers) expect(y + height).toBeCloseTo(30, 0);
    // 56 of 96 channels stand to the left of what was cut.
    expect(numbers[19]?.[0]).toBeCloseTo((160 * 56) / 96, 1);
    expect((last[0] ?? 0) + (last[2] ?? 0)).toBeLessThanOrEqual(160);
  });

  it("says which channels, next to what, and why others stay", () => {
    expect(page).toContain("0–2, 5, 9–12");
    expect(page).toContain("4 of 4 heads of 16");
    expect(page).toContain("kept from 0.900, cut up to 0.820");
    expect(page).toContain("they go to an output");
    const markdown = toMarkdown(example);
    expect(markdown).toContain(
      "| conv0/Conv | Conv | 8 of 16 | kept from 0.900, cut up to 0.820 |",
    );
    expect(markdown).toContain("- 64 channels of 1 layer stay: others matter less");
  });

  it("says how many ranges and groups are not shown", () => {
    const [prune] = accountsOf(example, "pruning");
    const [group] = prune?.account.groups ?? [];
    if (prune === undefined || group === undefined) throw new Error("The example prunes.");
    const groups = Array.from({ length: 60 }, () => ({ ...group, cut: group.cut.slice(0, 1) }));
    const account = { ...prune.account, groups, moreGroups: 7 };
    const more = written(told.map((share) => ({ ...share, account })));
    expect(text(cut(more))).toContain("0–2 and 5 more");
    expect(text(cut(more))).toContain("7 more groups");
    expect(toMarkdown(more)).toContain("and 27 more groups");
  });
});

describe("what was learned", () => {
  const curves = (report: Report): readonly (readonly number[])[] =>
    [...text(learned(report)).matchAll(/points="([^"]*)"/g)].map(([, points = ""]) =>
      points.split(" ").map((point) => Number(point.split(",")[1])),
    );

  it("is drawn with every epoch on its value", () => {
    const [loss = [], right = [], other = []] = curves(example);
    expect([loss.length, right.length, other.length]).toEqual([8, 8, 8]);
    // Downwards on the screen is larger.
    expect(loss).toEqual([...loss].sort((a, b) => a - b));
    expect(right).toEqual([...right].sort((a, b) => b - a));
    for (const [at, place] of other.entries()) expect(place).toBeGreaterThan(right[at] ?? 0);
    const ticks = [
      ...text(learned(example)).matchAll(/data-value="([\d.]+)" x1="\d+" x2="\d+" y1="([\d.]+)"/g),
    ].map(([, value, y]) => [Number(value), Number(y)]);
    const [[a = 0, from = 0] = [], [b = 0, to = 0] = []] = ticks;
    expect(loss[0]).toBeCloseTo(from + ((2.31 - a) / (b - a)) * (to - from), 0);
  });

  it("shows one curve where there are no labels, and none of what is no number", () => {
    const without = (loss: number): Report =>
      written(
        told.map((share) => {
          const { account } = share;
          if (account?.kind !== "training") return share;
          const epochs = account.epochs.map((epoch) => ({
            ...epoch,
            loss: epoch.epoch === 3 ? loss : epoch.loss,
            accuracy: null,
            validation: null,
          }));
          return { ...share, account: { ...account, epochs } };
        }),
      );
    expect(curves(without(0.9)).map(({ length }) => length)).toEqual([8]);
    expect(curves(without(Infinity)).map(({ length }) => length)).toEqual([7]);
    expect(toHtml(without(Number.NaN))).not.toContain("NaN");
  });

  it("has no tick above the whole where all were right, and none twice", () => {
    const allRight = told.map((share) => {
      const { account } = share;
      if (account?.kind !== "training") return share;
      const epochs = account.epochs.map((epoch) => ({ ...epoch, accuracy: 1, validation: 1 }));
      return { ...share, account: { ...account, epochs } };
    });
    const page = text(learned(written(allRight)));
    const ticks = [...page.matchAll(/text-anchor="end" ?>([\d.]+) %</g)].map(([, tick]) =>
      Number(tick),
    );
    expect(ticks.length).toBeGreaterThan(1);
    expect(Math.max(...ticks)).toBe(100);
    expect(new Set(ticks).size).toBe(ticks.length);
  });

  it("stands with one epoch, and with none", () => {
    const first = (count: number): Report =>
      written(
        told.map((share) =>
          share.account?.kind === "training"
            ? {
                ...share,
                account: { ...share.account, epochs: share.account.epochs.slice(0, count) },
              }
            : share,
        ),
      );
    expect(curves(first(1)).map(({ length }) => length)).toEqual([1, 1, 1]);
    for (const count of [0, 1]) {
      expect(toHtml(first(count))).not.toMatch(/NaN|Infinity/);
      expect(toMarkdown(first(count))).toContain("8 epochs of 1200 samples");
    }
  });
});

describe("names from a file", () => {
  it("stay text wherever they are told", () => {
    const hostile = `</svg><img src=x onerror="alert('1')">|\n`;
    const named: Report = JSON.parse(
      JSON.stringify(written(told), (key, value: unknown) =>
        ["node", "op", "use", "reason", "importance"].includes(key) && typeof value === "string"
          ? hostile
          : value,
      ),
    );
    const page = toHtml(named);
    expect(page).not.toContain("<img src=x");
    expect(page.match(/<svg/g)?.length).toBe(page.match(/<\/svg>/g)?.length);
    expect(page).toContain("&#60;/svg&#62;&#60;img src=x");
    const markdown = toMarkdown(named);
    expect(markdown).not.toContain("<img");
    const rows = markdown.split("\n").filter((line) => line.includes("8 of 16"));
    expect(rows.map((row) => row.replaceAll("\\|", "").split("|").length)).toEqual([6]);
  });
});
