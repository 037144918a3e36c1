import { readFile } from "node:fs/promises";
import type { Report, ReportCheck } from "@pare/runtime/format";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { benchmarkEntries, toBenchmarkAction } from "./benchmark-action.js";
import { bytes, changeText, digits, outcome, speed } from "./figures.js";
import { toHtml } from "./html.js";
import { toJson } from "./json.js";
import { toJUnit } from "./junit.js";
import { toMarkdown } from "./markdown.js";

async function json(name: string): Promise<unknown> {
  return JSON.parse(await readFile(new URL(`../../schema/${name}`, import.meta.url), "utf8"));
}
const example = (await json("example-report.json")) as Report;
const validate = new Ajv({ allErrors: true }).compile((await json("report.schema.json")) as object);

const hostile = `<img src=x onerror="alert('1')">|&\`*_\u0001\u202e`;
const hostileReport: Report = JSON.parse(
  JSON.stringify(example, (_, value: unknown) =>
    typeof value === "string" &&
    !/^(cpu|wasm|webgpu|webnn|labelled|higher|kept|reverted|chosen|rejected|changed|left|passed|missed|inconclusive|loads|accuracy|latency|size|parity|top1|training|pruning|labels|teacher|macs|parameters|data:.*)$/.test(
      value,
    )
      ? hostile
      : value,
  ),
);

describe("report.json", () => {
  it("is what its schema says", () => {
    validate(JSON.parse(toJson(example)));
    expect(validate.errors).toBeNull();
  });

  it("is not when something is missing or of another kind", () => {
    const { variants, ...rest } = example;
    expect(validate(rest)).toBe(false);
    expect(validate({ ...example, data: { ...example.data, splits: {} } })).toBe(false);
    expect(
      validate({ ...rest, variants: variants.map((variant) => ({ ...variant, target: "gpu" })) }),
    ).toBe(false);
    expect(
      validate({ ...rest, variants: variants.map((variant) => ({ ...variant, latencyMs: null })) }),
    ).toBe(false);
  });
});

describe("report.html", () => {
  const page = toHtml(example);

  it("asks nothing of any network, and runs nothing", () => {
    expect(page).not.toMatch(/<script|<link|https?:|url\(|@import/i);
  });

  it("says of a change where it was measured, if that was on another engine than the target's", () => {
    const candidates = example.candidates.map((each) => ({ ...each, target: "wasm" as const }));
    const measured = (measuredOn: "cpu" | "wasm"): string =>
      toHtml({
        ...example,
        candidates: candidates.map(({ measurement, ...each }) => ({
          ...each,
          measurement: measurement && {
            ...measurement,
            target: "wasm",
            accuracy: measurement.accuracy && { ...measurement.accuracy, drop: 0.01, measuredOn },
          },
        })),
      });
    expect(measured("cpu")).toContain(" on cpu</div>");
    expect(measured("wasm")).not.toContain(" on cpu</div>");
  });

  it("shows every part", () => {
    for (const title of [
      "Checks",
      "Size, latency and accuracy",
      "What was tried",
      "What the figures rest on",
      "What was measured",
      "What each step did",
      "What was cut",
      "What was learned",
      "Worst disagreements",
      "Candidates",
      "Steps",
      "Sensitivity",
      "Why",
    ]) {
      expect(page).toContain(`<h2>${title}</h2>`);
    }
    expect(page).toContain("emulated on the CPU");
    for (const { reason } of example.candidates)
      expect(page).toContain(reason.replaceAll("'", "&#39;"));
    for (const { node } of example.why) expect(page).toContain(node);
  });

  it("begins with what came of it, before what was checked", () => {
    const [cards, checks] = [page.indexOf('class="card"'), page.indexOf("<h2>Checks</h2>")];
    expect(cards).toBeGreaterThan(0);
    expect(checks).toBeGreaterThan(cards);
    const text = toMarkdown(example);
    const [came, checked] = [
      text.indexOf("| target | model | precision"),
      text.indexOf("| check | outcome"),
    ];
    expect(came).toBeGreaterThan(0);
    expect(checked).toBeGreaterThan(came);
  });

  it("shows one time of the float model on a target, the one beside the variant", () => {
    const twice: Report = JSON.parse(JSON.stringify(example), (_, value: unknown) =>
      // What was timed at another moment: 1.47 ms by itself, 1.463 beside the variant.
      value === 1.47 ? 987.6 : value,
    );
    expect(JSON.stringify(twice)).toContain("987.6");
    const { candidates: _, ...shown } = twice;
    for (const text of [toHtml, toMarkdown].map((to) => to({ ...shown, candidates: [] }))) {
      expect(text).toContain("1.46 ms");
      expect(text).not.toContain("988 ms");
    }
  });

  it("says on how many samples was tested, where time was too short for all", () => {
    const tested = (...counts: readonly number[]): string => {
      const variants = example.variants.map((each, index) => ({
        ...each,
        accuracy: each.accuracy && { ...each.accuracy, n: counts[index] ?? 2000 },
      }));
      return /Measured on (.*?) of ocr/.exec(toHtml({ ...example, variants }))?.[1] ?? "";
    };
    expect(tested()).toBe("2000 test samples");
    expect(tested(400, 900)).toBe("400 to 2000 of 2000 test samples");
    expect(tested(400, 400, 400)).toBe("400 of 2000 test samples");
  });

  it("says what the figures rest on, and for which processors a file was timed", () => {
    for (const text of [page, toMarkdown(example)]) {
      expect(text).toContain("AVX-512 VNNI");
      expect(text).toContain("products of 8 bits are exact");
    }
  });

  it("names the column of every cell, for screens that show a row as a list", () => {
    const cells = page.match(/<td/g)?.length;
    expect(page.match(/<td class="[a-z]*" data-column="/g)).toHaveLength(cells ?? 0);
  });

  it("lets nothing from outside become markup", () => {
    const shown = toHtml(hostileReport);
    expect(shown).not.toContain("<img src=x");
    expect(shown).toContain("&#60;img src=x onerror=&#34;alert(&#39;1&#39;)&#34;&#62;");
  });

  it.each([
    ["HTML", toHtml],
    ["Markdown", toMarkdown],
    ["JUnit", toJUnit],
    ["JSON", toJson],
    ["benchmark-action", toBenchmarkAction],
  ])("lets nothing from outside change how the rest is read: %s", (_, write) => {
    const shown = write(hostileReport);
    for (const unseen of ["\u0001", "\u202e"]) expect(shown).not.toContain(unseen);
  });

  it("takes no image but a PNG of its own", () => {
    const [first] = example.disagreements;
    if (!first) throw new Error("The example has disagreements.");
    const shown = toHtml({
      ...example,
      disagreements: [{ ...first, thumbnail: "https://example.com/track.png" }],
    });
    expect(shown).not.toContain("example.com");
  });

  it("holds with almost nothing in it", () => {
    const bare: Report = {
      ...example,
      float: null,
      variants: [],
      steps: [],
      candidates: [],
      skipped: [],
      why: [],
      disagreements: [],
      checks: [],
      sensitivity: [],
      nextStep: "50 images in a folder let int8 be checked: --data ./images",
    };
    expect(toHtml(bare)).toContain("50 images in a folder");
    expect(toMarkdown(bare)).toContain("50 images in a folder");
  });
});

describe("what the search did", () => {
  const [step, ...steps] = example.steps;
  const [one, ...others] = example.candidates;
  if (step === undefined || one === undefined) throw new Error("The example has both.");
  const report: Report = {
    ...example,
    steps: [{ ...step, name: "balanced", group: ["equalize", "quantize-static"] }, ...steps],
    candidates: [
      { ...one, tried: "not", expectedGain: { latency: 0.55, size: 0.28 }, measurement: null },
      { ...one, name: "b", tried: "screened", expectedGain: null },
      ...others,
    ],
  };

  it.each([
    ["html", toHtml(report)],
    ["md", toMarkdown(report)],
  ])("is told in plain words in %s", (_, text) => {
    expect(text).toContain("equalize + quantize-static");
    expect(text).toContain("not measured");
    expect(text).toContain("timed and no more");
    expect(text).toContain("expected: 0.55× the time, 28.0 % of the download");
    expect(text).toContain(
      "It took 61 s of 120 s; 51 to 74 s were expected. In hand: static int8 on cpu after 11 s.",
    );
  });

  it("says so where nothing better was found", () => {
    const time = example.time && { ...example.time, improvements: [] };
    const found = time && toMarkdown({ ...example, time });
    expect(found).toContain("Nothing better than the float model was found.");
  });
});

describe("Markdown", () => {
  it("says what was missed, and names the flipped samples", () => {
    const text = toMarkdown(example);
    expect(text).toContain("**1 of 3 checks missed.**");
    expect(text).toContain("static int8 on cpu, 3 of 2000: line-0500, line-0537, line-0574");
    expect(text).toMatch(
      /\| cpu \(onnxruntime-node\) \| static int8 \| int8 \| 141 kB \| 0\.520 → 0\.410 ms/,
    );
  });

  it("says that all checks passed where they did, and not where some could not be decided", () => {
    const heading = (...outcomes: readonly ReportCheck["outcome"][]): string | undefined =>
      toMarkdown({
        ...example,
        checks: outcomes.map((outcome) => ({
          target: "cpu",
          name: "a",
          what: "latency",
          outcome,
          reason: "So.",
        })),
      }).split("\n")[2];
    expect(heading("passed", "passed")).toBe("All 2 checks passed.");
    expect(heading("passed", "inconclusive")).toBe("1 of 2 checks passed, 1 inconclusive.");
    expect(heading("missed", "inconclusive")).toBe("**1 of 2 checks missed.**");
  });

  it("keeps to 64 KB, and says that it was cut", () => {
    const reason = "é".repeat(100);
    const many = Array.from(
      { length: 2000 },
      () =>
        ({
          target: "cpu",
          name: "c",
          verdict: "rejected",
          reason,
          precision: "int8",
          measurement: null,
        }) as const,
    );
    const text = toMarkdown({ ...example, candidates: many });
    expect(new TextEncoder().encode(text).byteLength).toBeLessThan(64 * 1024);
    expect(text).toMatch(/\n<\/details>\n\n… cut here; .*\n$/);
  });

  it("lets nothing from outside become markup", () => {
    const text = toMarkdown(hostileReport);
    expect(text).not.toContain("<img");
    for (const line of text.split("\n").filter((each) => /^\| (cpu|wasm|webgpu) \|/.test(each)))
      expect([7, 8]).toContain(line.replaceAll("\\|", "").split("|").length);
  });
});

describe("JUnit", () => {
  const text = toJUnit(example);

  it("has a suite per target and a failure per missed check", () => {
    expect(text).toMatch(/<testsuites name="ocr-direction" tests="4" failures="1">/);
    expect(text.match(/<testsuite /g)).toHaveLength(3);
    expect(text).toMatch(
      /<failure message="192 kB, at most[^"]*">[^<]*Flipped: line-0500, line-0537, line-0574<\/failure>/,
    );
    expect(text).toContain('<skipped message="Headless Chromium on Linux has no WebNN."/>');
  });

  it("is well-formed whatever it is given", () => {
    const shown = toJUnit(hostileReport);
    expect(shown).not.toMatch(/<img|\p{Cc}(?<![\n\r\t])/u);
    expect(shown.replace(/&(amp|lt|gt|quot|#10);/g, "")).not.toContain("&");
  });
});

describe("benchmark entries", () => {
  it("are all better when smaller, and hold no time that was not measured", () => {
    const entries = benchmarkEntries(example);
    expect(entries.map(({ name }) => name)).toEqual([
      ...["size", "latency", "drop of top1", "memory", "start-up"].map(
        (what) => `ocr-direction · static int8 · cpu · ${what}`,
      ),
      ...["size", "latency", "drop of top1", "memory", "start-up"].map(
        (what) => `ocr-direction · int8 weights · wasm · ${what}`,
      ),
      ...["size", "drop of top1"].map((what) => `ocr-direction · int8 weights · webgpu · ${what}`),
    ]);
    expect(entries[1]).toMatchObject({
      unit: "ms",
      value: 0.41,
      range: expect.stringMatching(/^± /),
    });
  });
});

const latency = (ratio: number, low: number, high: number) => ({
  p50: 1,
  p90: 1,
  p99: null,
  n: 1,
  method: "",
  ratio,
  ratioInterval: [low, high] as const,
});

it("shows no tail of a latency that has none", () => {
  const latencyMs = { ...latency(0.5, 0.49, 0.51), p90: null };
  const report: Report = {
    ...example,
    variants: example.variants.map((each) => ({ ...each, latencyMs, baseline: null })),
  };
  validate(JSON.parse(toJson(report)));
  expect(validate.errors).toBeNull();
  expect(toHtml(report)).not.toMatch(/p90|p99|null/);
  const entry = benchmarkEntries(report).find(({ unit }) => unit === "ms");
  expect(entry).not.toHaveProperty("range");
  expect(entry?.extra).not.toMatch(/p90/);
});

it("says why there are no flips, and shows no interval where there is none", () => {
  const report: Report = {
    ...example,
    variants: example.variants.map((each) => ({
      ...each,
      accuracy: each.accuracy && {
        ...each.accuracy,
        dropInterval: null,
        flips: null,
        noFlips: "No flips: boxes.",
      },
    })),
  };
  validate(JSON.parse(toJson(report)));
  expect(validate.errors).toBeNull();
  for (const text of [toHtml(report), toMarkdown(report)])
    expect(text).toContain("No flips: boxes.");
  const drops = benchmarkEntries(report).filter(({ unit }) => unit === "top1");
  expect(drops.length).toBeGreaterThan(0);
  for (const drop of drops) expect(drop).not.toHaveProperty("range");
});

describe("figures", () => {
  it("have three digits and a unit", () => {
    expect([bytes(999), bytes(495_723), bytes(10_822_323), bytes(2.5e9)]).toEqual([
      "999 B",
      "496 kB",
      "10.8 MB",
      "2.50 GB",
    ]);
    expect([digits(0), digits(0.00123), digits(1234.5), digits(12.345)]).toEqual([
      "0",
      "0.00123",
      "1235",
      "12.3",
    ]);
  });

  it("tell faster from slower and from the same", () => {
    expect(speed(latency(0.5, 0.49, 0.51))).toBe("2.00× faster [1.96, 2.04]");
    expect(speed(latency(1.5, 1.4, 1.6))).toBe("1.50× slower [1.40, 1.60]");
    expect(speed(latency(1.001, 0.99, 1.01))).toBe("as fast");
    expect(speed(latency(0.97, 0.9, 1.05))).toContain("not decided");
    const [variant] = example.variants;
    const open = variant && { ...variant, latencyMs: latency(0.97, 0.9, 1.05) };
    expect(open && outcome(open, null)).toMatch(/^1\.03× faster, not decided, top1 −0\.0005$/);
  });

  it("show a drop as the change of the metric that it is", () => {
    const accuracy = example.variants[0]?.accuracy ?? null;
    expect(changeText(accuracy)).toBe("−0.0005 [−0.0030, +0.0015], 3 flips of 2000");
    expect(changeText(accuracy && { ...accuracy, direction: "lower" })).toMatch(/^\+0\.0005/);
    // An error in units of its own: its digits, and not those of a share.
    const error = { direction: "lower", value: 0.000467, drop: 0.000232, flips: null } as const;
    expect(
      changeText(accuracy && { ...accuracy, ...error, dropInterval: [0.000174, 0.000288] }),
    ).toBe("+0.000232 [+0.000174, +0.000288]");
  });
});
