import type { Change, PrunedGroup, Report, StepShare } from "@pare/runtime/format";
import { amount, bytes, digits, percent } from "./figures.js";
import type { Markup } from "./markup.js";
import { type Cell, figure, reason, type Row, table } from "./tables.js";

/** What each step did on the way to each file that was written; null where nothing is told of that. */
export function shareTable({ variants }: Report): Markup | null {
  const rows = variants.flatMap(({ target, shares = [] }) =>
    shares.map((share): Row => ({
      cells: [
        target,
        share.use,
        changeCell(share.constantBytes, bytes),
        changeCell(share.parameters, amount),
        share.macs === null ? figure("–", "") : changeCell(share.macs, amount),
        reason([doneText(share), tookText(share)].filter((text) => text !== "").join("; ")),
      ],
    })),
  );
  const columns = ["target", "step", "weights", "parameters", "MACs", "what it did"];
  return rows.length === 0 ? null : table(columns, rows);
}

function changeCell(change: Change, write: (value: number) => string): Cell {
  return figure(changeText(change, write), timesText(change));
}

/** `1.20 MB → 341 kB`; once where it stays. */
export function changeText({ before, after }: Change, write: (value: number) => string): string {
  return before === after ? write(after) : `${write(before)} → ${write(after)}`;
}

/** `0.28×`; nothing where it stays, or nearly. */
function timesText({ before, after }: Change): string {
  const ratio = before > 0 ? after / before : 1;
  return Math.abs(ratio - 1) < 0.005 ? "" : `${ratio.toFixed(2)}×`;
}

/** What a step told of its own work, in a few words. */
export function doneText({ account }: Pick<StepShare, "account">): string {
  switch (account?.kind) {
    case undefined:
      return "";
    case "training": {
      const [first, last] = [account.epochs[0], account.epochs.at(-1)];
      if (first === undefined || last === undefined) return "";
      const right = [first.accuracy, last.accuracy];
      const said = right.every((share) => share !== null)
        ? `, right of the labels ${right.map(percent).join(" → ")}`
        : "";
      return `loss ${digits(first.loss)} → ${digits(last.loss)}${said}`;
    }
    case "pruning": {
      const cut = account.groups.filter(({ kept, units }) => kept < units);
      return cut.length === 0
        ? "nothing was cut"
        : `${amount(sumOf(cut, ({ units, kept }) => units - kept))} of ${amount(sumOf(cut, ({ units }) => units))} channels of ${cut.length} ${cut.length === 1 ? "layer" : "layers"} cut`;
    }
    default:
      return account satisfies never;
  }
}

function sumOf(groups: readonly PrunedGroup[], of: (group: PrunedGroup) => number): number {
  return groups.reduce((sum, group) => sum + of(group) * group.width, 0);
}

function tookText({ tookMs }: StepShare): string {
  return tookMs === undefined || tookMs < 1000 ? "" : `${digits(tookMs / 1000)} s`;
}
