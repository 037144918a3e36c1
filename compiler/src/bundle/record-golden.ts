import {
  type Arithmetic,
  arithmeticOf,
  type Golden,
  type GoldenInput,
  goldenFeeds,
  probeGolden,
  type RunTensors,
  type Session,
  type Tensor,
  type Tensors,
  type VariantEntry,
} from "@pare/runtime/format";
import { type OptimizedVariant, type TargetDevice, variantId } from "../search/request.js";
import { findTarget } from "../targets/index.js";
import { loadableOn } from "../targets/loadable.js";

export interface RecordedGolden {
  readonly golden: Golden;
  /** By variant id. */
  readonly tolerances: Readonly<Record<string, VariantEntry["tolerance"]>>;
}

/** Of the largest output: what another device of the same kind may differ by. */
const allowances: Readonly<Record<Arithmetic, number>> = {
  float32: 1e-3,
  float16: 2e-2,
  integer: 5e-2,
};

/**
 * Runs each variant on its own target with inputs that every device can make for itself, and writes down probed
 * values. The tolerance follows from the precision, and from how far two engines here are apart on the same file.
 */
export async function recordGolden(
  variants: readonly OptimizedVariant[],
  devices: readonly TargetDevice[],
  inputs: readonly GoldenInput[],
  seed: number,
): Promise<RecordedGolden> {
  const sessions: Session[] = [];
  const runs = new Map<string, RunTensors>();
  const tolerances = new Map<string, VariantEntry["tolerance"]>();
  try {
    for (const variant of variants) {
      const own = devices.find(({ target }) => target === variant.target);
      if (own === undefined) continue;
      const open = async ({ target, executor }: TargetDevice): Promise<Session> => {
        const { artifact, graph } = variant;
        const session = await executor.load(
          await loadableOn(findTarget(target), artifact, () => graph),
        );
        sessions.push(session);
        return session;
      };
      const session = await open(own);
      const answers = await session.run(goldenFeeds(inputs));
      runs.set(variantId(variant), async () => answers);
      const other = devices.find(({ target }) => target !== variant.target && target === "cpu");
      const apart =
        other === undefined
          ? 0
          : await open(other)
              .then(async (second) => difference(answers, await second.run(goldenFeeds(inputs))))
              .catch(() => 0);
      const scale = largest(answers);
      const fraction = allowances[arithmeticOf[variant.precision]];
      tolerances.set(variantId(variant), {
        absolute: Number(Math.max(fraction * scale, 3 * apart, 1e-6).toPrecision(3)),
        relative: fraction,
      });
    }
    return {
      golden: await probeGolden([inputs], runs, { seed }),
      tolerances: Object.fromEntries(tolerances),
    };
  } finally {
    for (const session of sessions) await session.dispose();
  }
}

function numbersOf(tensor: Tensor | undefined): ArrayLike<number> | null {
  return tensor !== undefined &&
    (tensor.data instanceof Float32Array || tensor.data instanceof Float64Array)
    ? tensor.data
    : null;
}

function largest(outputs: Tensors): number {
  let most = 0;
  for (const tensor of Object.values(outputs)) {
    const numbers = numbersOf(tensor) ?? [];
    for (let index = 0; index < numbers.length; index += 1) {
      const size = Math.abs(numbers[index] ?? 0);
      if (Number.isFinite(size) && size > most) most = size;
    }
  }
  return most;
}

function difference(a: Tensors, b: Tensors): number {
  let most = 0;
  for (const [name, tensor] of Object.entries(a)) {
    const first = numbersOf(tensor);
    const second = numbersOf(b[name]);
    if (first === null || second === null || first.length !== second.length) continue;
    for (let index = 0; index < first.length; index += 1) {
      const apart = Math.abs((first[index] ?? 0) - (second[index] ?? 0));
      if (apart > most) most = apart;
    }
  }
  return most;
}
