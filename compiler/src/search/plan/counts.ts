import type { TargetName } from "@pare/runtime/format";
import { clamp, type Counts, type KnownCounts, type TargetFacts, testSampleMs } from "./costs.js";

/** Enough that a number means something; fewer where there are no more. */
const fewestValidation = 50;
const fewestTest = 100;
/** Of the budget, for the test samples of all targets, and for the validation samples of one candidate. */
const testShare = 0.3;
const candidateShare = 0.04;
/** Steps between counts: a run that has a little less time looks at the same samples, which are then known. */
const countStep = 1.2;

/** How many of a millisecond count each fit, rounded down to a step. */
function fitting(leftMs: number, eachMs: number): number {
  const count = Math.max(1, leftMs / Math.max(eachMs, 1e-3));
  return Math.floor(countStep ** Math.floor(Math.log(count) / Math.log(countStep)));
}

/** So many times as many are taken where fewer would let a single answer decide, and to the next multiple. */
const tellingStep = { first: 2, next: 1.2 };

/**
 * A multiple of as many as allow one answer to be lost: of 137 with 1 % allowed, one may be lost and two are too many, so
 * that in truth .7 % is allowed. The next multiple where that is little more, or else the one below.
 */
function telling({ tellingSamples }: TargetFacts, count: number): number {
  if (tellingSamples === 0) return count;
  const multiple = Math.floor(count / tellingSamples) * tellingSamples;
  const next = multiple + tellingSamples;
  const step = multiple === 0 ? tellingStep.first : tellingStep.next;
  if (next <= step * count) return next;
  return multiple === 0 ? count : multiple;
}

/** As many as the time does for: of each target, for one candidate and for the test. */
export function countsFor(
  facts: readonly TargetFacts[],
  leftMs: number,
): ReadonlyMap<TargetName, Counts> {
  // Those that share samples share the processors too.
  const sharing = facts.filter(({ shared }) => shared > 1).length;
  return new Map(
    facts.map((one): [TargetName, Counts] => {
      const testMs = (testShare * leftMs) / (one.shared > 1 ? sharing : 1);
      const { target, validation, test, answerMs } = one;
      return [
        target,
        {
          validation: Math.min(
            validation,
            telling(one, Math.max(fewestValidation, fitting(candidateShare * leftMs, answerMs))),
          ),
          test: Math.min(
            test,
            telling(one, Math.max(fewestTest, fitting(testMs, testSampleMs(one)))),
          ),
        },
      ];
    }),
  );
}

/** As few as are worth something. */
export function fewestCounts(facts: readonly TargetFacts[]): ReadonlyMap<TargetName, Counts> {
  return new Map(
    facts.map(({ target, validation, test }) => [
      target,
      { validation: Math.min(validation, fewestValidation), test: Math.min(test, fewestTest) },
    ]),
  );
}

/** On how many test samples each target is looked at. */
export type TestCounts = ReadonlyMap<TargetName, number>;

/**
 * More test samples than planned on targets that are open, of all alike, a step at a time while the time does; but as many
 * as an earlier run looked at, where it does for those: they are known.
 * @param leftMs for what an earlier run looked at, and for more than were planned
 * @param open what is known of these targets
 * @param counts with what an earlier run looked at
 */
export function testCountsWithin(
  leftMs: { readonly again: number; readonly more: number },
  open: readonly TargetFacts[],
  planned: TestCounts,
  counts: ReadonlyMap<TargetName, KnownCounts>,
  takesMs: (counts: TestCounts) => number,
): TestCounts {
  const having = (countOf: (one: TargetFacts, planned: number) => number): TestCounts => {
    const all = new Map(planned);
    for (const one of open) {
      const least = planned.get(one.target) ?? 0;
      all.set(one.target, clamp(countOf(one, least), least, one.test));
    }
    return all;
  };
  if (open.every(({ target }) => counts.get(target)?.tested !== undefined)) {
    const before = having(({ target }) => counts.get(target)?.tested ?? 0);
    if (takesMs(before) <= leftMs.again) return before;
  }
  const all = having(({ test }) => test);
  let most: TestCounts = planned;
  for (let times = countStep; !isSame(most, all); times *= countStep) {
    const more = having((one, least) => wholly(one, Math.floor(times * least)));
    if (takesMs(more) > leftMs.more) break;
    most = more;
  }
  return most;
}

/** All that there are, or a multiple of as many as allow one answer to be lost. */
function wholly({ test, tellingSamples }: TargetFacts, count: number): number {
  if (count >= test || tellingSamples === 0) return count;
  return Math.floor(count / tellingSamples) * tellingSamples;
}

function isSame(one: TestCounts, other: TestCounts): boolean {
  return [...one].every(([target, count]) => other.get(target) === count);
}

/** What an earlier run counted stands where about as much fits now: what is repeated, or goes on, looks at the same samples. */
const aboutAsMany = 2;

/** @param earlier of the same search */
export function asEarlier(
  counts: ReadonlyMap<TargetName, Counts>,
  earlier: ReadonlyMap<TargetName, KnownCounts>,
  facts: readonly TargetFacts[],
): ReadonlyMap<TargetName, KnownCounts> {
  return new Map(
    facts.flatMap(({ target, validation, test }) => {
      const [now, before] = [counts.get(target), earlier.get(target)];
      if (now === undefined) return [];
      const stands =
        before !== undefined &&
        before.validation <= validation &&
        before.test <= test &&
        isLike(before.validation, now.validation) &&
        isLike(before.test, now.test);
      return [[target, stands ? before : now]];
    }),
  );
}

function isLike(one: number, other: number): boolean {
  return Math.max(one, other) <= aboutAsMany * Math.min(one, other);
}
