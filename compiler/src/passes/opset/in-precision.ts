import { attribute, codeOfDtype, type ValueId } from "../../ir/index.js";
import type { Step } from "./adapter.js";

/** How a normalization computes: in float32 unless `stash_type` says otherwise. */
interface Precision {
  /** What is of input 0's type. */
  readonly wide: (x: ValueId) => ValueId;
  /** x / √(square + least), all in this precision, as one of the type of input `like`, or of input 0's. */
  readonly overRoot: (x: ValueId, square: ValueId, least: number, like?: number) => ValueId;
}

export function inPrecision(step: Step): Precision {
  const codeOf = (index: number): number | undefined => {
    const dtype = step.dtype(index);
    return dtype === undefined ? undefined : codeOfDtype(dtype);
  };
  const own = codeOf(0) ?? step.refuse("the type of its input is not known");
  const precision = step.attributes.int("stash_type", 1);
  const cast = (value: ValueId, from: number, to: number): ValueId =>
    from === to ? value : step.add("Cast", [value], { to: attribute.int(to) });
  return {
    wide: (x) => cast(x, own, precision),
    overRoot(x, square, least, like = 0) {
      // In float16 what is added to a variance may be 0.
      const given = step.float32("epsilon", [least], []);
      const epsilon = cast(given, codeOfDtype("float32"), precision);
      const root = step.add("Sqrt", [step.add("Add", [square, epsilon])]);
      return cast(step.add("Div", [x, root]), precision, codeOf(like) ?? own);
    },
  };
}
