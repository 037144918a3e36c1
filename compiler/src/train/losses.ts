import { attribute, type Editor, Tensor, type ValueId } from "../ir/index.js";

/**
 * What is minimized between a value of the student, s, and a target of the same shape, t. Each is a mean over rows, a row
 * being all that lies along the last axis, so that no rate depends on the batch.
 */
export type Loss =
  /** −Σ t · log softmax(s): the right classes, one number each (int64), or a probability for each class. */
  | { readonly kind: "cross-entropy"; readonly targets: "classes" | "probabilities" }
  /** T² · Σ p · (log p − log softmax(s / T)) with p = softmax(t / T): both are scores before a softmax. */
  | { readonly kind: "divergence"; readonly temperature: number }
  /** (s − t)², a mean over all elements. */
  | { readonly kind: "mse" }
  /** 1 − s · t / (‖s‖ · ‖t‖) */
  | { readonly kind: "cosine" }
  /** log(1 + eˢ) − s · t, a mean over all elements: s are scores before a sigmoid, t probabilities, or such scores too. */
  | { readonly kind: "binary-cross-entropy"; readonly targets: "probabilities" | "scores" };

interface Rows {
  /** Elements of a row. */
  readonly classes: number;
  /** Of the whole batch. */
  readonly rows: number;
  /**
   * For each row 1 where it counts, and else 0, along a last axis of 1; all count where not given. Of divergence and binary
   * cross-entropy alone: for others what counts is emitted before.
   */
  readonly counts?: ValueId | undefined;
}

/**
 * Emits a loss as operators.
 * @returns a scalar, float32
 */
export function emitLoss(
  editor: Editor,
  loss: Loss,
  student: ValueId,
  target: ValueId,
  { classes, rows, counts }: Rows,
): ValueId {
  const on = new Emitter(editor);
  switch (loss.kind) {
    case "cross-entropy": {
      const likely = loss.targets === "probabilities" ? target : on.oneHot(target, classes);
      const all = on.add("Mul", [likely, on.logSoftmax(student)]);
      return on.scaled(on.sum(all), -1 / rows);
    }
    case "divergence": {
      // Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, 2015: T² keeps its gradients as large
      // as those of labels, whatever the temperature.
      const { temperature } = loss;
      const [s, t] = [student, target].map((scores) => on.scaled(scores, 1 / temperature));
      if (s === undefined || t === undefined) return target;
      const gap = on.add("Sub", [on.logSoftmax(t), on.logSoftmax(s)]);
      const all = on.add("Mul", [on.add("Softmax", [t], last), gap]);
      return on.scaled(on.sum(on.counted(all, counts)), temperature ** 2 / rows);
    }
    case "mse": {
      const gap = on.add("Sub", [student, target]);
      return on.scaled(on.sum(on.add("Mul", [gap, gap])), 1 / (rows * classes));
    }
    case "cosine": {
      const dot = on.rowSum(on.add("Mul", [student, target]));
      const [s, t] = [student, target].map((row) => on.rowSum(on.add("Mul", [row, row])));
      if (s === undefined || t === undefined) return target;
      // Rows of zeros have no direction: they count as at right angles, and have no gradient.
      const lengths = on.add("Sqrt", [on.plus(on.add("Mul", [s, t]), smallest)]);
      const likeness = on.sum(on.add("Div", [dot, lengths]));
      return on.plus(on.scaled(likeness, -1 / rows), 1);
    }
    case "binary-cross-entropy": {
      const likely = loss.targets === "scores" ? on.add("Sigmoid", [target]) : target;
      const s = on.bounded(student);
      const all = on.add("Sub", [on.add("Softplus", [s]), on.add("Mul", [s, likely])]);
      return on.scaled(on.sum(on.counted(all, counts)), 1 / (rows * classes));
    }
    default:
      return loss satisfies never;
  }
}

/** A weighted sum of losses. */
export function emitSum(
  editor: Editor,
  terms: readonly { readonly loss: ValueId; readonly weight: number }[],
): ValueId {
  const on = new Emitter(editor);
  const [first, ...others] = terms.map(({ loss, weight }) => on.scaled(loss, weight));
  if (first === undefined) return on.number(0);
  return others.reduce((sum, term) => on.add("Add", [sum, term]), first);
}

const last = { axis: attribute.int(-1) };
const smallest = 1e-12;
/** No scores that are learned are so far apart. */
const leastScore = -1e6;

class Emitter {
  readonly #editor: Editor;

  constructor(editor: Editor) {
    this.#editor = editor;
  }

  add(...[op, inputs, attributes = {}]: Parameters<Editor["add1"]>): ValueId {
    return this.#editor.add1(op, inputs, attributes);
  }

  number(value: number): ValueId {
    return this.#editor.constant("loss_number", Tensor.float32([], [value]));
  }

  scaled(value: ValueId, factor: number): ValueId {
    return factor === 1 ? value : this.add("Mul", [value, this.number(factor)]);
  }

  plus(value: ValueId, more: number): ValueId {
    return this.add("Add", [value, this.number(more)]);
  }

  /** Of all elements: a scalar. */
  sum(value: ValueId): ValueId {
    return this.add("ReduceSum", [value], { keepdims: attribute.int(0) });
  }

  rowSum(value: ValueId): ValueId {
    const axes = this.#editor.constant("loss_axis", Tensor.int64([-1]));
    return this.add("ReduceSum", [value, axes], { keepdims: attribute.int(0) });
  }

  logSoftmax(value: ValueId): ValueId {
    return this.bounded(this.add("LogSoftmax", [value], last));
  }

  /** Of a class that a model rules out by −∞: 0 times it is 0 then, and not NaN. */
  bounded(value: ValueId): ValueId {
    return this.add("Max", [value, this.number(leastScore)]);
  }

  counted(terms: ValueId, counts: ValueId | undefined): ValueId {
    return counts === undefined ? terms : this.add("Mul", [terms, counts]);
  }

  oneHot(classes: ValueId, count: number): ValueId {
    const depth = this.#editor.constant("loss_classes", Tensor.int64([count], []));
    const offOn = this.#editor.constant("loss_off_on", Tensor.float32([2], [0, 1]));
    return this.add("OneHot", [classes, depth, offOn], last);
  }
}
