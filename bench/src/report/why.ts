import type { NodeWhy } from "@pare/runtime/format";
import { html, type Markup } from "./markup.js";
import { badge, reason, table } from "./tables.js";

/** What was done to each node and why, by target and by rule; folded away until asked for. */
export function why(all: readonly NodeWhy[]): Markup {
  return html`${grouped(all, ({ target }) => target).map(([target, nodes]) => {
    const changed = nodes.filter(({ what }) => what === "changed").length;
    const rules = grouped(nodes, ({ what, rule }) => `${what} ${rule}`).sort(
      ([, a], [, b]) => b.length - a.length,
    );
    return html`<details>
      <summary>
        ${target} <span class="soft">${changed} changed, ${nodes.length - changed} left alone</span>
      </summary>
      ${rules.map(([, same]) => ruleWhy(same))}
    </details>`;
  })}`;
}

/** What one rule did: its reason once where all nodes share it, else beside each. */
function ruleWhy(nodes: readonly NodeWhy[]): Markup | null {
  const [first] = nodes;
  if (!first) return null;
  const ops = grouped(nodes, ({ op }) => op).map(([op, some]) => `${some.length} ${op}`);
  const shared = nodes.every(({ reason }) => reason === first.reason);
  const list = shared
    ? html`<ul class="nodes">
        ${nodes.map(({ node, op }) => html`<li><code>${node}</code> <span class="soft">${op}</span></li>`)}
      </ul>`
    : table(
        ["node", "operator", "why"],
        nodes.map(({ node, op, reason: text }) => ({
          cells: [html`<code>${node}</code>`, op, reason(text)],
        })),
      );
  return html`<details>
    <summary>
      ${badge(first.what)} ${first.rule} <span class="soft">${ops.join(", ")}</span>
      ${shared ? html`<div class="soft small">${first.reason}</div>` : null}
    </summary>
    ${list}
  </details>`;
}

function grouped<T>(items: readonly T[], key: (item: T) => string): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return [...groups];
}
