import { visibleText } from "@pare/runtime/format";

/** HTML that is safe to insert as it is. Only `html` makes it, so that nothing else goes in unescaped. */
export class Markup {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  /** @param trusted written by this program, and by nobody else */
  static of(trusted: string): Markup {
    return new Markup(trusted);
  }
}

export type Insertable = string | number | Markup | null | readonly Insertable[];

/** A template whose values are escaped, and what is unseen in them written out, unless they are markup themselves; null is nothing, lists are joined. */
export function html(parts: TemplateStringsArray, ...values: readonly Insertable[]): Markup {
  let out = parts[0] ?? "";
  for (const [index, value] of values.entries()) out += insert(value) + (parts[index + 1] ?? "");
  return Markup.of(out);
}

function insert(value: Insertable): string {
  if (value === null) return "";
  if (value instanceof Markup) return value.text;
  if (typeof value === "object") return value.map(insert).join("");
  return visibleText(String(value)).replace(/[&<>"']/g, (symbol) => `&#${symbol.charCodeAt(0)};`);
}
