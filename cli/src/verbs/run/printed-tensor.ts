import { numbersOf, type Tensor } from "@pare/runtime/format";

/** For `--json`. It has no integers beyond 2^53, no NaN and no infinities: they become text. */
export function elementsOf(tensor: Tensor): readonly unknown[] {
  return Array.from<unknown>(valuesOf(tensor)).map((value) => {
    if (typeof value === "bigint")
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  });
}

/** The first of them, on a line. */
export function previewOf(tensor: Tensor): string {
  const { length } = tensor.data;
  const first = valuesOf({ ...tensor, data: tensor.data.slice(0, 8) });
  const shown = Array.from<unknown>(first).map((value) =>
    typeof value === "number" ? Number(value.toPrecision(6)) : String(value),
  );
  return `${shown.join(" ")}${length > shown.length ? " …" : ""}`;
}

/** Floats of 16 bits are held as bits. */
function valuesOf(tensor: Tensor): Tensor["data"] {
  const isHalf = tensor.type === "float16" || tensor.type === "bfloat16";
  return (isHalf ? numbersOf(tensor) : null) ?? tensor.data;
}
