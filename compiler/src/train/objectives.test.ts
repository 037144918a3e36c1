import { describe, expect, it } from "vitest";
import { attribute, edit, type Graph, type ValueId } from "../ir/index.js";
import { type Builder, graphOf } from "../rules/rule-case.test.support.js";
import { type Labels, LabelReader } from "./labels.js";
import { moveScores } from "./move-scores.js";
import { chooseObjectives, type ObjectiveOptions } from "./objectives.js";

const batch = 2;
const plain: ObjectiveOptions = { alpha: 0.7, temperature: 4, signals: [], labels: "auto" };

/** Three numbers in, an output of so many numbers, with operators behind. */
function model(count: number, ...last: readonly string[]): Graph {
  return graphOf({ x: ["float32", batch, 3] }, (input, b: Builder) => {
    const scores = b.add("MatMul", [input("x"), b.weights(3, count)]);
    return { y: last.reduce((value, op) => b.add(op, [value]), scores) };
  });
}

/** A map of so many channels. */
function map(channels: number, size: number, ...last: readonly string[]): Graph {
  return graphOf({ x: ["float32", batch, 2, size, size] }, (input, b) => {
    const scores = b.add("Conv", [input("x"), b.weights(channels, 2, 1, 1)]);
    return { y: last.reduce((value, op) => b.add(op, [value]), scores) };
  });
}

/** Scores of so many classes each, as outputs of these names. */
function severalOf(counts: Readonly<Record<string, number>>): Graph {
  return graphOf({ x: ["float32", batch, 3] }, (input, b) =>
    Object.fromEntries(
      Object.entries(counts).map(([name, count]) => [
        name,
        b.add("MatMul", [input("x"), b.weights(3, count)]),
      ]),
    ),
  );
}

const labelsOf = (...rows: readonly unknown[]): Labels | null => {
  const reader = new LabelReader("a test");
  for (const [index, row] of rows.entries()) reader.add(row, String(index));
  return reader.finish();
};

function chosen(
  student: Graph,
  teacher: Graph | null,
  labels: Labels | null,
  options: Partial<ObjectiveOptions> = {},
): readonly string[] {
  const objectives = chooseObjectives(
    { graph: student, batch },
    teacher && { graph: teacher, batch },
    labels,
    { ...plain, ...options },
    "a test",
  );
  return objectives.map(({ loss, weight, target, value }) => {
    const what = "targets" in loss ? `${loss.kind} of ${loss.targets}` : loss.kind;
    return `${what} from ${target.from}, ${Number(weight.toFixed(3))}, at ${producer(student, value)}`;
  });
}

const producer = (graph: Graph, value: ValueId): string => graph.producer(value)?.op ?? "input";

describe("the loss of labels", () => {
  it.each<[string, Graph, Labels | null, string]>([
    ["classes", model(4), labelsOf(0, 3), "cross-entropy of classes from labels, 1, at MatMul"],
    [
      "classes of a model that ends with a softmax",
      model(4, "Softmax"),
      labelsOf(0, 3n),
      "cross-entropy of classes from labels, 1, at MatMul",
    ],
    [
      "classes of a model that ends with a softmax under another name",
      model(4, "Softmax", "Identity", "Identity"),
      labelsOf(0, 3),
      "cross-entropy of classes from labels, 1, at MatMul",
    ],
    [
      "probabilities",
      model(2, "Softmax"),
      labelsOf([0.5, 0.5], [1, 0]),
      "cross-entropy of probabilities from labels, 1, at MatMul",
    ],
    [
      "probabilities without a softmax, which its scores lack",
      model(2),
      labelsOf([0.5, 0.5], [1, 0]),
      "cross-entropy of probabilities from labels, 1, at MatMul",
    ],
    [
      "truth values",
      model(1, "Sigmoid"),
      labelsOf(true, false),
      "binary-cross-entropy of probabilities from labels, 1, at MatMul",
    ],
    [
      "numbers",
      model(2),
      labelsOf([0.5, 3], Float32Array.of(1, -1)),
      "mse from labels, 1, at MatMul",
    ],
    ["one number", model(1, "Relu"), labelsOf(0.5, 3), "mse from labels, 1, at Relu"],
    [
      "truth values of what a Tanh bounds, under another name and shape",
      model(3, "Tanh", "Identity", "Flatten"),
      labelsOf([0, 1, 1], [1, 0, 1]),
      "mse from labels, 1, at Flatten",
    ],
    [
      "several truth values, without a sigmoid",
      model(3),
      labelsOf([0, 1, 1], [1, 0, 1]),
      "binary-cross-entropy of probabilities from labels, 1, at MatMul",
    ],
    [
      "several truth values behind a rectifier, where there are no scores",
      model(3, "Relu"),
      labelsOf([0, 1, 1], [1, 0, 1]),
      "mse from labels, 1, at Relu",
    ],
    [
      "a class for each place of a map",
      map(3, 2),
      labelsOf([0, 1, 2, 0], [2, 2, 1, 1]),
      "cross-entropy of classes from labels, 1, at Conv",
    ],
  ])("is told by their form: %s", (_, graph, labels, expected) => {
    expect(chosen(graph, null, labels)).toEqual([expected]);
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      "too few numbers",
      () => chosen(model(3), null, labelsOf([1, 2], [3, 4])),
      /2 numbers, but .* has 3/,
    ],
    [
      "no probability",
      () => chosen(model(1, "Sigmoid"), null, labelsOf(0.5, 2.5)),
      /label is 2.5, which is no probability/,
    ],
    [
      "one class by another loss than its own",
      () => chosen(model(3), null, labelsOf(0, 2), { labels: "mse" }),
      /1 numbers, but .* has 3/,
    ],
    ["texts alone", () => chosen(model(3), null, labelsOf("cat", "dog")), /nothing to learn from/],
    [
      "nothing that weighs",
      () =>
        chosen(model(3), model(3), labelsOf(0, 1), {
          alpha: 1,
          signals: [{ value: "y", loss: "mse", weight: 0 }],
          labels: "none",
        }),
      /no loss has a weight/,
    ],
  ])("is refused: %s", (_, choose, message) => expect(choose).toThrow(message));
});

describe("labels of several outputs", () => {
  const taught = (counts: Readonly<Record<string, number>>, labelsOfOutput?: string) => {
    const graph = severalOf(counts);
    const [objective] = chooseObjectives(
      { graph, batch },
      null,
      labelsOf(0, 2),
      { ...plain, labelsOf: labelsOfOutput },
      "a test",
    );
    return objective?.dims;
  };

  it("are of the one that has as many classes, or of the only one that has enough", () => {
    expect(taught({ boxes: 4, classes: 3, found: 1 })).toEqual([3]);
    expect(taught({ found: 1, scores: 8 })).toEqual([8]);
  });

  it("are of the one that is named", () => {
    expect(taught({ boxes: 4, classes: 3 }, "boxes")).toEqual([4]);
    expect(() => taught({ boxes: 4 }, "scores")).toThrow(/no output "scores"/);
  });

  it("are refused where several would do", () => {
    expect(() => taught({ one: 4, other: 5 })).toThrow(/fit several outputs alike: "one", "other"/);
    const graph = severalOf({ one: 4, other: 5 });
    expect(chosen(graph, graph, labelsOf(0, 2)).join()).not.toContain("labels");
  });
});

describe("classes of a map", () => {
  const axisOf = (graph: Graph, options: Partial<ObjectiveOptions> = {}): unknown => {
    const [objective] = chooseObjectives(
      { graph, batch },
      { graph, batch },
      null,
      { ...plain, ...options },
      "a test",
    );
    return objective && { dims: objective.dims, axis: objective.axis };
  };
  const signals = [{ value: "y", loss: "divergence" }] as const;

  it("lie along the channels of a convolution, through what keeps them there", () => {
    expect(axisOf(map(3, 2, "Relu"), { signals })).toEqual({ dims: [3, 2, 2], axis: 0 });
  });

  it("lie where a transposition puts them", () => {
    const graph = graphOf({ x: ["float32", batch, 2, 4, 5] }, (input, b) => {
      const scores = b.add("Conv", [input("x"), b.weights(3, 2, 1, 1)]);
      return { y: b.add("Transpose", [scores], { perm: attribute.ints([0, 2, 3, 1]) }) };
    });
    expect(axisOf(graph, { signals })).toEqual({ dims: [4, 5, 3], axis: 2 });
  });

  it("lie last behind a product of matrices", () => {
    const graph = graphOf({ x: ["float32", batch, 5, 2] }, (input, b) => ({
      y: b.add("MatMul", [input("x"), b.weights(2, 3)]),
    }));
    expect(axisOf(graph, { signals })).toEqual({ dims: [5, 3], axis: 1 });
  });
});

describe("the loss of a teacher", () => {
  it("is by divergence for scores and by the mean square for others, beside that of labels", () => {
    expect(chosen(model(4), model(4), labelsOf(0, 1))).toEqual([
      "cross-entropy of classes from labels, 0.3, at MatMul",
      "divergence from teacher, 0.7, at MatMul",
    ]);
    expect(chosen(model(1, "Relu"), model(1), null)).toEqual(["mse from teacher, 1, at Relu"]);
    expect(chosen(model(4, "Softmax"), model(4), null)).toEqual([
      "divergence from teacher, 1, at MatMul",
    ]);
  });

  it.each<[string, readonly string[], "probabilities" | "scores"]>([
    ["Sigmoid", ["Sigmoid"], "probabilities"],
    ["Sigmoid whose elements are moved", ["Sigmoid", "Transpose", "Identity"], "probabilities"],
    ["Softmax", ["Softmax"], "probabilities"],
    ["product", [], "scores"],
    ["Relu", ["Relu"], "scores"],
  ])("has as probabilities what a %s gives, and else scores", (_, ops, targets) => {
    const teacher = graphOf({ x: ["float32", batch, 3] }, (input, b) => {
      const product = b.add("MatMul", [input("x"), b.weights(3, batch)]);
      return { y: ops.reduce((value, op) => b.add(op, [value]), product) };
    });
    const expected = `binary-cross-entropy of ${targets} from teacher, 1, at MatMul`;
    expect(chosen(model(batch, "Sigmoid"), teacher, null)).toEqual([expected]);
    const signals = [{ value: "y", loss: "binary-cross-entropy" }] as const;
    expect(chosen(model(batch), teacher, null, { signals })).toEqual([expected]);
  });

  it("goes by place where outputs are called otherwise", () => {
    const teacher = model(4);
    edit(
      teacher,
      "rename",
      (editor) => {
        for (const id of teacher.main.outputs) editor.rename(id, "logits");
      },
      { interface: true },
    );
    expect(chosen(model(4), teacher, labelsOf(0, 1))).toHaveLength(2);
  });

  it("is by both where nothing tells scores of classes from quantities", () => {
    expect(chosen(model(4), model(4), null)).toEqual([
      "divergence from teacher, 0.5, at MatMul",
      "mse from teacher, 0.5, at MatMul",
    ]);
    expect(chosen(model(4), model(4), labelsOf([1, 2, 3, 4], [5, 6, 7, 8]))).toEqual([
      "mse from labels, 0.3, at MatMul",
      "divergence from teacher, 0.35, at MatMul",
      "mse from teacher, 0.35, at MatMul",
    ]);
  });

  it("stands alone, which is said, where labels do not fit", () => {
    const notes: string[] = [];
    const objectives = chooseObjectives(
      { graph: model(4), batch },
      { graph: model(4), batch },
      labelsOf([1, 2], [3, 4]),
      plain,
      "a test",
      (note) => notes.push(note),
    );
    expect(objectives.map(({ target }) => target.from)).toEqual(["teacher", "teacher"]);
    expect(notes).toEqual([expect.stringMatching(/2 numbers.* has 4.*left out/)]);
  });

  it.each<[string, Partial<ObjectiveOptions>]>([
    ["a loss of labels is named", { labels: "mse" }],
    ["labels alone are to be learned", { alpha: 0 }],
  ])("does not stand in for labels that do not fit where %s", (_, options) => {
    expect(() => chosen(model(4), model(4), labelsOf([1, 2], [3, 4]), options)).toThrow(/has 4/);
  });

  it("asks nothing of labels that are not learned", () => {
    const wrong = labelsOf([1, 2], [3, 4]);
    for (const options of [{ labels: "none" }, { alpha: 1 }] as const)
      expect(chosen(model(4), model(4), wrong, options)).toHaveLength(2);
  });

  it("is that of what a softmax is taken of, also behind what leaves classes as they are", () => {
    const behind = (shape: readonly number[], axis: number) =>
      graphOf({ x: ["float32", batch, 3] }, (input, b: Builder) => {
        const scores = b.add("MatMul", [input("x"), b.weights(3, 4)]);
        const softmax = b.add("Softmax", [b.add("Reshape", [scores, b.ints([batch, ...shape])])], {
          axis: attribute.int(axis),
        });
        return { y: b.add("Clip", [b.add("Reshape", [softmax, b.ints([batch, 1, 4])])]) };
      });
    for (const student of [behind([4, 1, 1], 1), behind([1, 4], -1)]) {
      expect(chosen(student, model(4, "Softmax"), null)).toEqual([
        "divergence from teacher, 1, at Reshape",
      ]);
      expect(chosen(student, null, labelsOf(0, 3))).toEqual([
        "cross-entropy of classes from labels, 1, at Reshape",
      ]);
    }
    expect(chosen(behind([2, 2], -1), model(4), null)).toEqual([
      "divergence from teacher, 0.5, at Clip",
      "mse from teacher, 0.5, at Clip",
    ]);
  });

  it("is that of what a softmax of maps is taken of, under another name and in another order", () => {
    const maps = (last: string, isTurned: boolean): Graph => {
      const graph = graphOf({ x: ["float32", batch, 2, 2, 3] }, (input, b) => {
        const scores = b.add("Conv", [input("x"), b.weights(4, 2, 1, 1)]);
        const along = last === "Sigmoid" ? {} : { axis: attribute.int(1) };
        const share = b.add(last, [scores], along);
        const perm = { perm: attribute.ints([0, 2, 3, 1]) };
        return { y: b.add("Identity", [isTurned ? b.add("Transpose", [share], perm) : share]) };
      });
      moveScores(graph, new Set());
      return graph;
    };
    const classes = labelsOf([0, 1, 2, 3, 0, 1], [3, 2, 1, 0, 3, 2]);
    for (const [turned, at] of [
      [false, "Conv"],
      [true, "Transpose"],
    ] as const)
      // prettier-ignore
      for (const last of ["Softmax", "LogSoftmax"]) {
        const student = maps(last, turned);
        const teacher = maps("Softmax", turned);
        expect(chosen(student, null, classes)).toEqual([`cross-entropy of classes from labels, 1, at ${at}`]); // prettier-ignore
        expect(chosen(student, teacher, null)).toEqual([`divergence from teacher, 1, at ${at}`]);
        const [dims, axis] = turned ? [[2, 3, 4], 2] : [[4, 2, 3], 0];
        const found = chooseObjectives({ graph: student, batch }, null, classes, plain, "a test");
        expect(found).toMatchObject([{ dims, axis }]);
      }
    expect(chosen(maps("Sigmoid", true), maps("Sigmoid", true), null)).toEqual([
      "binary-cross-entropy of probabilities from teacher, 1, at Transpose",
    ]);
  });

  it("leaves what signals read where it is", () => {
    const graph = graphOf({ x: ["float32", batch, 3, 2] }, (input, b) => {
      const share = b.add("Softmax", [input("x")], { axis: attribute.int(1) });
      b.editor.rename(share, "share");
      return { y: b.add("Transpose", [share], { perm: attribute.ints([0, 2, 1]) }) };
    });
    const ops = (): readonly string[] => graph.order().map(({ op }) => op);
    moveScores(graph, new Set(["share"]));
    expect(ops()).toEqual(["Softmax", "Transpose"]);
    moveScores(graph, new Set(["y"]));
    expect(ops()).toEqual(["Transpose", "Softmax"]);
    expect(graph.main.outputs.map((id) => graph.value(id).name)).toEqual(["y"]);
  });

  it("is shared out among signals", () => {
    const signals = [
      { value: "y", loss: "cosine", weight: 3 },
      { value: "y", loss: "mse", weight: 1 },
    ] as const;
    expect(chosen(model(4), model(4), labelsOf(0, 1), { signals, alpha: 0.4 })).toEqual([
      "cross-entropy of classes from labels, 0.6, at MatMul",
      "cosine from teacher, 0.3, at MatMul",
      "mse from teacher, 0.1, at MatMul",
    ]);
  });

  it("leaves labels out with an alpha of 1, and the teacher with one of 0", () => {
    expect(chosen(model(4), model(4), labelsOf(0, 1), { alpha: 1 })).toHaveLength(1);
    expect(chosen(model(4), model(4), labelsOf(0, 1), { alpha: 0 })[0]).toContain(
      "from labels, 1,",
    );
  });
});
