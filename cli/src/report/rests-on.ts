import { arithmeticOf, type Precision, type TargetName } from "@pare/runtime/format";

/** What a file computes with, and how it came to it. */
interface Subject {
  readonly target: TargetName;
  readonly precision: Precision;
  readonly groups: readonly {
    readonly steps: readonly { readonly with?: Readonly<Record<string, unknown>> }[];
  }[];
}

/**
 * In what way a file is for processors like this one, or null where it is for all alike. WebAssembly's integer kernels
 * are the same everywhere; those of the CPU engine go by the processor, in speed and, with weights of 8 bits, in answers.
 * @param saturates whether this processor's products of 8 bits do; null where that is not known
 */
export function restsOn(
  { target, precision, groups }: Subject,
  saturates: boolean | null,
): string | null {
  if (target !== "cpu" || arithmeticOf[precision] !== "integer" || saturates === null) return null;
  const eightBits = groups.some(({ steps }) =>
    steps.some((step) => step.with?.["reduceRange"] === false),
  );
  const answers = eightBits
    ? "its weights have all 8 bits, so that its answers are others where products saturate: the check on the device refuses it there"
    : "its answers are right on either kind, because its weights have seven bits";
  return saturates
    ? `It computes with integers and was timed on a processor whose products of 8 bits saturate (x64 without VNNI). Others multiply integers faster, and another file may be the best one there; ${answers}.`
    : `It computes with integers and was timed on a processor that multiplies 8 bits exactly (x64 with VNNI, arm64). Where one cannot (x64 without VNNI) it may be slower than the float model: time it there with pare bench; ${answers}.`;
}
