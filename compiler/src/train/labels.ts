import { isTypedArray, PareError } from "@pare/runtime/format";

/** What is right for each sample. */
export type Labels =
  /** One class each. */
  | { readonly kind: "classes"; readonly values: Int32Array; readonly names?: readonly string[] }
  /** As many numbers each. */
  | {
      readonly kind: "numbers";
      readonly row: number;
      readonly values: Float32Array;
      /** Of the samples, as their user calls them. */
      readonly names?: readonly string[];
    };

/** A label that no numbers can be made of. */
interface Unfit {
  readonly sample: string;
  readonly label: unknown;
}

/** Brings labels of any form into one of those that can be learned. */
export class LabelReader {
  readonly #where: string;
  readonly #rows: (number | readonly number[])[] = [];
  #unfit: Unfit | null = null;
  #missing: string | null = null;
  readonly #names: string[] = [];

  constructor(where: string) {
    this.#where = where;
  }

  /** @param sample as its user calls it */
  add(label: unknown, sample: string): void {
    if (label === undefined || label === null) {
      this.#missing ??= sample;
      return;
    }
    const row = numbersIn(label);
    if (row === null) {
      this.#unfit ??= { sample, label };
      return;
    }
    this.#rows.push(row);
    this.#names.push(sample);
  }

  /**
   * @returns null where there are no labels, or none that numbers can be made of, which is said
   * @throws PareError LABELS where some samples have a label and others none, or labels differ in form
   */
  finish(onNote?: (note: string) => void): Labels | null {
    const unfit = this.#unfit === null ? null : unfitText(this.#unfit);
    if (this.#rows.length === 0) {
      if (unfit !== null) onNote?.(`No label can be learned: ${unfit}.`);
      return null;
    }
    if (unfit !== null) this.#refuse(`Not all labels can be learned: ${unfit}.`);
    if (this.#missing !== null)
      this.#refuse(`Sample ${this.#missing} has no label, and others have.`);
    const [first] = this.#rows;
    if (typeof first === "number") {
      const whole = this.#rows.every(
        (row) => Number.isInteger(row) && Math.abs(Number(row)) < 2 ** 31,
      );
      const values = Int32Array.from(this.#rows, Number);
      if (whole) return { kind: "classes", values, names: this.#names };
    }
    const width = typeof first === "number" ? 1 : (first?.length ?? 0);
    const values = new Float32Array(width * this.#rows.length);
    for (const [index, row] of this.#rows.entries()) {
      const numbers = typeof row === "number" ? [row] : row;
      if (numbers.length !== width)
        this.#refuse(
          `The label of sample ${this.#names[index] ?? index} has ${numbers.length} numbers, the first ${width}.`,
        );
      values.set(numbers, index * width);
    }
    return { kind: "numbers", row: width, values, names: this.#names };
  }

  #refuse(message: string): never {
    throw new PareError("LABELS", message, {
      where: this.#where,
      hint: "Give all samples labels of one form: a class as a whole number, or a list of numbers.",
    });
  }
}

function numbersIn(label: unknown): number | readonly number[] | null {
  if (typeof label === "number") return Number.isFinite(label) ? label : null;
  if (typeof label === "bigint") return Number(label);
  if (typeof label === "boolean") return Number(label);
  if (!Array.isArray(label) && !isTypedArray(label)) return null;
  const numbers = Array.from<unknown, number>(label, (one) =>
    ["number", "bigint", "boolean"].includes(typeof one) ? Number(one) : Number.NaN,
  );
  return numbers.length > 0 && numbers.every(Number.isFinite) ? numbers : null;
}

function unfitText({ sample, label }: Unfit): string {
  const what =
    typeof label === "number" ? label : typeof label === "string" ? "a text" : "no list of numbers";
  return `that of sample ${sample} is ${what}`;
}

/**
 * @param count of classes
 * @throws PareError LABELS naming the first class that there is not
 */
export function demandClasses(labels: Labels, count: number, where: string): void {
  const { values } = labels;
  const row = labels.kind === "classes" ? 1 : labels.row;
  const { names } = labels;
  const index = values.findIndex(
    (value) => !Number.isInteger(value) || value < 0 || value >= count,
  );
  if (index < 0) return;
  throw new PareError(
    "LABELS",
    `Sample ${names?.[Math.floor(index / row)] ?? Math.floor(index / row)} has the label ${values[index]}, but the model has ${count} classes, 0 to ${count - 1}.`,
    { where, hint: "Number the classes from 0, or give the model an output for each." },
  );
}
