/**
 * What shows nothing of itself and changes what is shown: it moves a terminal's cursor, ends a line, or turns the direction
 * in which what follows is read.
 */
const unseen = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Text of a stranger on one line of a terminal, a table or a comment: what is unseen is written out, as `\u{1b}`. */
export function visibleLine(text: string): string {
  return text.replace(unseen, escaped);
}

/** The same with its line breaks and tabs. */
export function visibleText(text: string): string {
  return text
    .replace(/\r\n/g, "\n")
    .replace(unseen, (one) => (one === "\n" || one === "\t" ? one : escaped(one)));
}

/** A document as JSON that can be shown as it is: what JSON may leave as it is and is unseen is escaped too. */
export function visibleJson(document: unknown): string {
  return escapeUnseen(JSON.stringify(document, null, 2));
}

/** JSON that holds the same, in which what is unseen is escaped. */
export function escapeUnseen(json: string): string {
  return json.replace(unseen, (one) =>
    one === "\n" ? one : `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function escaped(one: string): string {
  return `\\u{${one.charCodeAt(0).toString(16)}}`;
}
