import { describe, expect, it } from "vitest";
import { visibleJson, visibleLine, visibleText } from "./visible-text.js";

describe("text of a stranger", () => {
  it("cannot steer a terminal", () => {
    expect(visibleText("a\u001b]0;title\u0007b\u009b2Jc\rd")).toBe(
      "a\\u{1b}]0;title\\u{7}b\\u{9b}2Jc\\u{d}d",
    );
    expect(visibleText("gif\u202efdp.exe")).toBe("gif\\u{202e}fdp.exe");
  });

  it("keeps its lines, and any letters", () => {
    expect(visibleText("größe 尺寸 👩‍🔬\r\n\tthen")).toBe("größe 尺寸 👩‍🔬\n\tthen");
  });

  it("stays on one line where only one is for it", () => {
    expect(visibleLine("a\nb\tc\u2028d")).toBe("a\\u{a}b\\u{9}c\\u{2028}d");
  });

  it("is the same document as JSON", () => {
    const document = { "name\u009b": ["a\u2028b\n", "\u202e", 1] };
    const text = visibleJson(document);
    expect(text).not.toMatch(/[\u0080-\u009f\u2028\u202e]/);
    expect(JSON.parse(text)).toEqual(document);
  });
});
