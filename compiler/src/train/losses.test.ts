import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Tensors } from "@pare/runtime/format";
import { edit, type Graph } from "../ir/index.js";
import { evaluateGraph } from "../ops/index.js";
import { run } from "../passes/quantization/engine-case.test.support.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { differentiate } from "./differentiate.js";
import { emitLoss, emitSum, type Loss } from "./losses.js";

const rows = 3;
const classes = 4;

/** Loss and its gradient by the student's value, as outputs. */
function graphWith(loss: Loss): Graph {
  const isClasses = loss.kind === "cross-entropy" && loss.targets === "classes";
  const graph = graphOf(
    { s: ["float32", rows, classes], t: isClasses ? ["int64", rows] : ["float32", rows, classes] },
    (input, { editor }) => ({
      loss: emitLoss(editor, loss, input("s"), input("t"), { classes, rows }),
    }),
  );
  const [loss_ = 0 as never] = graph.main.outputs;
  const [s = 0 as never] = graph.main.inputs;
  const gradient = differentiate(graph, loss_, [s], { engine: "cpu" }).get(s);
  edit(
    graph,
    "gradient",
    (editor) => {
      if (gradient === undefined) throw new Error("no gradient");
      editor.rename(gradient, "gradient");
      editor.addOutput(gradient);
    },
    { interface: true },
  );
  return graph;
}

type Row = readonly number[];
const sum = (values: Row): number => values.reduce((total, value) => total + value, 0);
const softmax = (row: Row): Row => {
  const powers = row.map((value) => Math.exp(value - Math.max(...row)));
  return powers.map((power) => power / sum(powers));
};
const mean = (values: Row): number => sum(values) / values.length;
const pairs = (s: readonly Row[], t: readonly Row[]): readonly (readonly [Row, Row])[] =>
  s.map((row, at) => [row, t[at] ?? []]);
const dot = (a: Row, b: Row): number => sum(a.map((value, at) => value * (b[at] ?? 0)));

/** As textbooks have them, in double precision. */
const byHand: Readonly<Record<string, (s: readonly Row[], t: readonly Row[]) => number>> = {
  classes: (s, t) =>
    mean(pairs(s, t).map(([row, [wanted = 0]]) => -Math.log(softmax(row)[wanted] ?? 0))),
  probabilities: (s, t) =>
    mean(pairs(s, t).map(([row, wanted]) => -dot(wanted, softmax(row).map(Math.log)))),
  divergence: (s, t) =>
    mean(
      pairs(s, t).map(([row, wanted]) => {
        const [p, q] = [wanted, row].map((one) => softmax(one.map((value) => value / 3)));
        return 9 * sum((p ?? []).map((share, at) => share * Math.log(share / (q?.[at] ?? 1))));
      }),
    ),
  mse: (s, t) =>
    mean(pairs(s, t).flatMap(([row, wanted]) => row.map((x, at) => (x - (wanted[at] ?? 0)) ** 2))),
  cosine: (s, t) =>
    mean(
      pairs(s, t).map(
        ([row, wanted]) => 1 - dot(row, wanted) / Math.sqrt(dot(row, row) * dot(wanted, wanted)),
      ),
    ),
  "binary of scores": (s, t) =>
    byHand["binary"]?.(
      s,
      t.map((row) => row.map((x) => 1 / (1 + Math.exp(-x)))),
    ) ?? Number.NaN,
  binary: (s, t) =>
    mean(
      pairs(s, t).flatMap(([row, wanted]) =>
        row.map((x, at) => {
          const [share, p] = [wanted[at] ?? 0, 1 / (1 + Math.exp(-x))];
          return -share * Math.log(p) - (1 - share) * Math.log(1 - p);
        }),
      ),
    ),
};

const losses: readonly (readonly [string, Loss])[] = [
  ["classes", { kind: "cross-entropy", targets: "classes" }],
  ["probabilities", { kind: "cross-entropy", targets: "probabilities" }],
  ["divergence", { kind: "divergence", temperature: 3 }],
  ["mse", { kind: "mse" }],
  ["cosine", { kind: "cosine" }],
  ["binary", { kind: "binary-cross-entropy", targets: "probabilities" }],
  ["binary of scores", { kind: "binary-cross-entropy", targets: "scores" }],
];

const number = fc.double({ min: -2, max: 2, noNaN: true }).map(Math.fround);
const matrix = fc.array(fc.array(number, { minLength: classes, maxLength: classes }), {
  minLength: rows,
  maxLength: rows,
});

function feeds(name: string, s: readonly Row[], t: readonly Row[]): Tensors {
  const dims = [rows, classes];
  const student = { type: "float32", dims, data: Float32Array.from(s.flat()) } as const;
  const target =
    name === "classes"
      ? ({
          type: "int64",
          dims: [rows],
          data: BigInt64Array.from(t, ([wanted = 0]) => BigInt(wanted)),
        } as const)
      : ({ type: "float32", dims, data: Float32Array.from(t.flat()) } as const);
  return { s: student, t: target };
}

/** What a loss can be compared with, of any numbers. */
function fitting(name: string, t: readonly Row[]): readonly Row[] {
  if (name === "classes")
    return t.map(([first = 0]) => [Math.floor(Math.abs(first) * 2) % classes]);
  if (name === "probabilities") return t.map((row) => softmax(row).map(Math.fround));
  return name === "binary" ? t.map((row) => row.map((value) => Math.abs(value) / 2)) : t;
}

describe("losses", () => {
  it.each(losses)(
    "%s are as by hand, and their gradients as central differences",
    async (name, loss) => {
      const graph = graphWith(loss);
      const hand = byHand[name];
      if (hand === undefined) throw new Error(name);
      const property = fc.asyncProperty(matrix, matrix, async (drawn, targets) => {
        // Rows without a direction have no angle.
        const s = drawn.map(([first = 0, ...rest]) => [
          first + (Math.abs(first) < 0.1 ? 1 : 0),
          ...rest,
        ]);
        const t = fitting(
          name,
          targets.map(([first = 0, ...rest]) => [first + (Math.abs(first) < 0.1 ? 1 : 0), ...rest]),
        );
        const outputs = await run(graph, feeds(name, s, t));
        expect(Number(outputs["loss"]?.data[0])).toBeCloseTo(hand(s, t), 4);
        const gradient = outputs["gradient"]?.data as Float32Array;
        for (let at = 0; at < rows * classes; at += 1) {
          const moved = (by: number): readonly Row[] =>
            s.map((row, r) => row.map((value, c) => (r * classes + c === at ? value + by : value)));
          const slope = (hand(moved(1e-4), t) - hand(moved(-1e-4), t)) / 2e-4;
          expect(gradient[at]).toBeCloseTo(slope, 3);
        }
      });
      await fc.assert(property, { numRuns: 12 });
    },
  );

  it.each(losses.filter(([, { kind }]) => kind.endsWith("entropy") || kind === "divergence"))(
    "%s are of the other classes where a model rules one out",
    async (name, loss) => {
      const graph = graphWith(loss);
      const of = async (least: number): Promise<readonly number[]> => {
        const s = Array.from({ length: rows }, () => [least, 0.5, -1, 2]);
        const own = name === "divergence" || name.endsWith("scores") ? least : 0;
        const t = name === "classes" ? [[1], [2], [3]] : [[0.2], [0.5], [0.3]];
        const wanted = name === "classes" ? t : t.map(([one = 0]) => [own, one, 0.6 - one, 0.4]);
        const outputs = await run(graph, feeds(name, s, wanted));
        return ["loss", "gradient"].flatMap((one) => Array.from(outputs[one]?.data ?? [], Number));
      };
      const [never, hardly] = [await of(-Infinity), await of(-400)];
      for (const [at, value] of never.entries()) expect(value).toBeCloseTo(hardly[at] ?? 0, 5);
    },
  );

  it("count the rows that are to, of what is before a softmax or a sigmoid", async () => {
    for (const name of ["divergence", "binary"]) {
      const [, loss] = losses.find(([one]) => one === name) ?? [];
      if (loss === undefined) throw new Error(name);
      const graph = graphOf(
        { s: ["float32", 2, classes], t: ["float32", 2, classes], counts: ["float32", 2, 1] },
        (input, { editor }) => {
          const sizes = { classes, rows: 2, counts: input("counts") };
          return { loss: emitLoss(editor, loss, input("s"), input("t"), sizes) };
        },
      );
      const [s, t] = [
        [0.5, -1, 2, 0],
        [0.25, 0.5, 0.1, 1],
      ];
      const twice = (row: Row) =>
        ({ type: "float32", dims: [2, classes], data: Float32Array.from([...row, ...row]) }) as const; // prettier-ignore
      const counts = { type: "float32", dims: [2, 1], data: Float32Array.of(0, 1) } as const;
      const outputs = await evaluateGraph(graph, { s: twice(s ?? []), t: twice(t ?? []), counts });
      const whole = byHand[name]?.([s ?? []], [t ?? []]) ?? Number.NaN;
      expect(Number(outputs["loss"]?.data[0])).toBeCloseTo(whole / 2, 5);
    }
  });

  it("are what the reference evaluation says too", async () => {
    for (const [name, loss] of losses) {
      const s = [
        [0.5, -1, 2, 0],
        [1, 1, 0.2, -2],
        [0.1, 0.2, 0.3, 0.4],
      ];
      const t = fitting(name, [
        [1, 0.3, -0.5, 1],
        [0.9, 0, 1, 2],
        [1.5, 1, 1, -1],
      ]);
      const outputs = await evaluateGraph(graphWith(loss), feeds(name, s, t));
      expect(Number(outputs["loss"]?.data[0])).toBeCloseTo(byHand[name]?.(s, t) ?? Number.NaN, 5);
    }
  });

  it("are summed with weights", async () => {
    const graph = graphOf({ a: ["float32"], b: ["float32"] }, (input, { editor }) => ({
      loss: emitSum(editor, [
        { loss: input("a"), weight: 0.25 },
        { loss: input("b"), weight: 1 },
      ]),
    }));
    const scalar = (value: number) =>
      ({ type: "float32", dims: [], data: Float32Array.of(value) }) as const;
    const { loss } = await evaluateGraph(graph, { a: scalar(8), b: scalar(3) });
    expect(loss?.data[0]).toBe(5);
  });
});
