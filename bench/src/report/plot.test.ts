import { readFile } from "node:fs/promises";
import type { Report } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { axis } from "./axis.js";
import { triedPlot, writtenPlot } from "./plot.js";

const example: Report = JSON.parse(
  await readFile(new URL("../../schema/example-report.json", import.meta.url), "utf8"),
);

interface Drawn {
  readonly target: string;
  readonly across: string;
  /** Value and place of each tick. */
  readonly columns: readonly Tick[];
  readonly rows: readonly Tick[];
  readonly points: ReadonlyMap<string, { readonly x: number; readonly y: number }>;
}
type Tick = readonly [value: number, place: number];

/** What a plot's markup says, panel by panel, without how it was made. */
function drawn(markup: { readonly text: string } | null): Drawn[] {
  const figures = (markup?.text ?? "").split("<figure").slice(1);
  return figures.flatMap((figure) => {
    const [, target = ""] = /data-target="(\w+)"/.exec(figure) ?? [];
    return figure
      .split("<svg")
      .slice(1)
      .map((svg) => ({
        target,
        across: /data-across="(\w+)"/.exec(svg)?.[1] ?? "",
        columns: ticks(svg, /class="column"\s+data-value="([-\d.e]+)"\s+x="([-\d.]+)"/g),
        rows: ticks(
          svg,
          /class="(?:grid|zero)"\s+data-value="([-\d.e]+)"\s+x1="[^"]*"\s+x2="[^"]*"\s+y1="([-\d.]+)"/g,
        ),
        points: new Map(
          [...svg.matchAll(/data-name="([^"]*)"[^]*?<\/g\s*>/g)].map(([text, name = ""]) => [
            name,
            place(text),
          ]),
        ),
      }));
  });
}

function ticks(svg: string, pattern: RegExp): readonly Tick[] {
  return [...svg.matchAll(pattern)].map(([, value, at]): Tick => [Number(value), Number(at)]);
}

function place(text: string): { x: number; y: number } {
  const circle = /class="marker [^"]*" cx="([\d.]+)" cy="([\d.]+)"/.exec(text);
  if (circle) return { x: Number(circle[1]), y: Number(circle[2]) };
  const [, x, y, width] =
    /class="marker float"\s+x="([\d.]+)"\s+y="([\d.]+)"\s+width="([\d.]+)"/.exec(text) ?? [];
  return { x: Number(x) + Number(width) / 2, y: Number(y) + Number(width) / 2 };
}

/** Where a value belongs, going by what the axis says of itself. */
function at(all: readonly Tick[], value: number): number {
  const [[from, start], [to, end]] = [all[0] ?? [0, 0], all.at(-1) ?? [1, 1]];
  return start + ((value - from) / (to - from)) * (end - start);
}

describe("what was written", () => {
  const panels = drawn(writtenPlot(example));

  it("is the drop over size, and over latency where that was timed", () => {
    expect(panels.map(({ target, across }) => `${target} ${across}`)).toEqual([
      "cpu size",
      "cpu latency",
      "wasm size",
      "wasm latency",
      "webgpu size",
    ]);
    expect(writtenPlot(example)?.text).toContain("Not timed. The GPU");
  });

  it("stands on its values, which are those of the test samples alone", () => {
    for (const { target, across, columns, rows, points } of panels) {
      const variant = example.variants.find((each) => each.target === target);
      const { baseline, latencyMs, sizeBytes, accuracy } = variant ?? {};
      const ratio = latencyMs !== undefined && "ratio" in latencyMs ? latencyMs.ratio : null;
      expect(new Set(points.keys())).toEqual(new Set(["float model", variant?.name]));
      const [float, own] = [points.get("float model"), points.get(variant?.name ?? "")];
      const isSize = across === "size";
      expect(float?.x).toBeCloseTo(at(columns, isSize ? (baseline?.sizeBytes.brotli ?? 0) : 1), 0);
      expect(own?.x).toBeCloseTo(at(columns, isSize ? (sizeBytes?.brotli ?? 0) : (ratio ?? 0)), 0);
      expect(float?.y).toBeCloseTo(at(rows, 0), 0);
      expect(own?.y).toBeCloseTo(at(rows, accuracy?.drop ?? 0), 0);
    }
  });

  it("shows what chance may do, both ways", () => {
    const cpu = writtenPlot(example)?.text.split("<figure")[1] ?? "";
    // Of the drop in both panels, of the latency in one.
    expect(cpu.match(/class="interval chosen"/g)).toHaveLength(3);
  });

  it("is not plotted alone, nor against what cannot be compared", () => {
    const alone = example.variants.map((each) => ({ ...each, baseline: null }));
    expect(writtenPlot({ ...example, variants: alone })).toBeNull();
  });

  it("shows all of several files, with their names", () => {
    const [first] = example.variants;
    if (first === undefined) throw new Error("The example has variants.");
    const variants = [first, { ...first, name: "another" }];
    const text = writtenPlot({ ...example, variants, candidates: [] })?.text ?? "";
    expect([...(drawn({ text })[0]?.points.keys() ?? [])]).toHaveLength(3);
    expect(text).toContain("1 static int8 · 2 another");
  });
});

describe("what was tried", () => {
  const panels = drawn(triedPlot(example));

  it("stands on its values, which are those of the validation samples alone", () => {
    expect(panels.map(({ target }) => target)).toEqual(["cpu", "cpu", "wasm", "wasm", "webgpu"]);
    for (const { target, across, columns, rows, points } of panels) {
      const tried = example.candidates.filter((each) => each.target === target);
      for (const { name, verdict, measurement, searched } of tried) {
        const seen = verdict === "chosen" ? searched : measurement;
        const point = points.get(name);
        if (!seen) {
          expect(point).toBeUndefined();
          continue;
        }
        const ratio = "ratio" in seen.latencyMs ? (seen.latencyMs.ratio ?? 0) : 0;
        const value = across === "size" ? seen.sizeBytes.brotli : ratio;
        expect(point?.x).toBeCloseTo(at(columns, value), 0);
        expect(point?.y).toBeCloseTo(at(rows, seen.accuracy?.drop ?? NaN), 0);
      }
    }
  });

  it("leaves out what was chosen where nobody kept what the search saw of it", () => {
    const candidates = example.candidates.map((each) => ({ ...each, searched: null }));
    const [cpu] = drawn(triedPlot({ ...example, candidates }));
    expect([...(cpu?.points.keys() ?? [])]).not.toContain("static int8");
  });

  it("puts below the axis what was not measured for accuracy, and names it so", () => {
    const candidates = example.candidates.map((each) =>
      each.name === "float16" && each.measurement
        ? { ...each, measurement: { ...each.measurement, accuracy: null } }
        : each,
    );
    const plot = triedPlot({ ...example, candidates });
    const [cpu] = drawn(plot);
    const lowest = Math.max(...(cpu?.rows ?? []).map(([, y]) => y));
    expect(cpu?.points.get("float16")?.y).toBeGreaterThan(lowest);
    expect(plot?.text).toContain("drop not");
    expect(triedPlot(example)?.text).not.toContain("drop not");
  });
});

it("has axes with round ticks, on which values stand in proportion", () => {
  const x = axis(0, 496_000, 50, 250);
  expect(x.ticks).toEqual([0, 200_000, 400_000]);
  expect(x.at(248_000)).toBe(150);
  expect(axis(0, 0, 10, 20).at(0)).toBe(10);
});
