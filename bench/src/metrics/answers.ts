import { createHash } from "node:crypto";
import { isTypedArray } from "@pare/runtime/format";
import { argmax } from "./outputs.js";
import { numbersFrom, plain } from "./readings.js";

/** A prediction as it is kept for all samples: small, whatever it was. */
export interface Answer {
  /**
   * Equal for equal answers. Null where equality says nothing: measured quantities and boxes differ a little on every
   * sample, and that is no change of an answer.
   */
  readonly key: string | null;
  /** In a few words. */
  readonly shown: string;
}

/** Longer keys are kept as their hash. */
const longestKey = 64;
const mostShown = 200;
const itemsShown = 8;
const deepestShown = 4;

/** A class, or the best of scores per class. */
export function classAnswer(prediction: unknown): Answer {
  const value = plain(prediction);
  const scores = typeof value === "object" ? numbersFrom(value) : null;
  if (scores && scores.length > 1) {
    const best = argmax(scores);
    return { key: String(best), shown: Number.isNaN(best) ? "no class: NaN" : `class ${best}` };
  }
  return wholeAnswer(value);
}

/** A text, a class, or a list of those, to be equal as a whole. */
export function wholeAnswer(prediction: unknown): Answer {
  const value = plain(prediction);
  if (isDiscrete(value)) return { key: keyOf(value), shown: shownOf(value) };
  const list = isTypedArray(value) ? numbersFrom(value) : Array.isArray(value) ? value : null;
  const items: readonly unknown[] | null = list && Array.from<unknown, unknown>(list, plain);
  return { key: items?.every(isDiscrete) ? keyOf(items) : null, shown: shownOf(prediction) };
}

/** A measured quantity, or several: never equal, and never changed. */
export function quantityAnswer(prediction: unknown): Answer {
  return { key: null, shown: shownOf(prediction) };
}

/**
 * What a metric of the user's own is given, which does not say how it is to be read: lists of numbers are scores where
 * the label is one of their classes, and may else be boxes, masks or signals.
 */
export function unknownAnswer(prediction: unknown, label: unknown): Answer {
  const value = plain(prediction);
  if (isDiscrete(value)) return wholeAnswer(value);
  const numbers = numbersFrom(value);
  const truth = plain(label);
  if (numbers && numbers.length > 1 && Number.isInteger(truth) && Number(truth) < numbers.length)
    return classAnswer(value);
  const texts = Array.isArray(value) && value.every((each) => typeof each === "string");
  return texts ? wholeAnswer(value) : quantityAnswer(value);
}

/** A class or a text, and no measured quantity. */
export function isDiscrete(value: unknown): value is string | boolean | number {
  return typeof value === "string" || typeof value === "boolean" || Number.isInteger(value);
}

/** True is 1, as a class. */
function keyOf(value: unknown): string {
  const key = JSON.stringify(value, (_, part: unknown) =>
    typeof part === "boolean" ? Number(part) : part,
  );
  return key.length > longestKey ? createHash("sha256").update(key).digest("base64") : key;
}

/** The beginning of anything, without going through all of it. */
function shownOf(value: unknown, depth = 0): string {
  if (typeof value === "number")
    return Number.isInteger(value) ? String(value) : value.toPrecision(4);
  if (typeof value !== "object" || value === null) return String(value).slice(0, mostShown);
  if (depth === deepestShown) return "…";
  if (isTypedArray(value) || Array.isArray(value)) {
    const first: readonly unknown[] = Array.from<unknown>(value.slice(0, itemsShown));
    const text = first.map((item) => shownOf(item, depth + 1)).join(", ");
    if (value.length === 1) return text;
    return `[${text}${value.length > itemsShown ? ", …" : ""}]`.slice(0, mostShown);
  }
  const fields = Object.entries(value).slice(0, itemsShown);
  const text = fields.map(([name, field]) => `${name}: ${shownOf(field, depth + 1)}`).join(", ");
  return `{ ${text} }`.slice(0, mostShown);
}
