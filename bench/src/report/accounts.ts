import type { PassAccount, Report, StepShare, TargetName } from "@pare/runtime/format";

type Kind = PassAccount["kind"];

/** What a pass told of its work, and where it did it. */
export interface ToldAccount<K extends Kind> {
  readonly use: string;
  readonly account: Extract<PassAccount, { readonly kind: K }>;
  readonly tookMs: number | null;
  readonly targets: readonly TargetName[];
  /** It is in what was written; else it was tried and turned down. */
  readonly isWritten: boolean;
}

/** All accounts of a kind: once where targets share the same, those of what was written first. */
export function accountsOf<K extends Kind>(report: Report, kind: K): readonly ToldAccount<K>[] {
  const told = new Map<string, ToldAccount<K>>();
  const tell = (target: TargetName, shares: readonly StepShare[], isWritten: boolean): void => {
    for (const { use, account, tookMs = null } of shares) {
      if (account === undefined || !isKind(account, kind)) continue;
      const key = JSON.stringify([use, account]);
      const known = told.get(key) ?? { use, account, tookMs, targets: [], isWritten };
      const targets = [...new Set([...known.targets, target])];
      told.set(key, { ...known, targets });
    }
  };
  for (const { target, shares = [] } of report.variants) tell(target, shares, true);
  for (const { target, shares = [] } of report.steps) tell(target, shares, false);
  return [...told.values()];
}

function isKind<K extends Kind>(
  account: PassAccount,
  kind: K,
): account is Extract<PassAccount, { readonly kind: K }> {
  return account.kind === kind;
}

/** `distill for cpu, wasm`, and whether it is in the files. */
export function whereText({ use, targets, isWritten }: Omit<ToldAccount<Kind>, "account">): string {
  return `${use} for ${targets.join(", ")}${isWritten ? "" : ", not in what was written"}`;
}
