import { presets } from "@pare/compiler";
import { expect, it } from "vitest";
import { recipesText, recipeSummaries } from "./recipe-summaries.js";

it("are those of the presets, in their order", () => {
  const own = Object.values(presets).map(({ name, summary }) => [name, summary]);
  expect(Object.entries(recipeSummaries)).toEqual(own);
});

it("are told one below the other, within a terminal's width", () => {
  const lines = recipesText(60).split("\n");
  expect(lines.every((line) => line.length <= 60)).toBe(true);
  expect(lines[1]).toMatch(/^ {2}auto +simplify, then what each/);
  expect(lines.join(" ").replaceAll(/ +/g, " ")).toContain(recipeSummaries["small"]);
});
