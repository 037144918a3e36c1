import { expect, it } from "vitest";
import { judgedBy } from "./judged-by.js";

it("is accuracy, and agreement where inputs were made up", () => {
  expect(judgedBy({ variants: [{ evidence: "labelled" }, { evidence: "none" }] })).toBe("accuracy");
  expect(judgedBy({ variants: [{ evidence: "none" }, { evidence: "synthetic" }] })).toBe(
    "agreement",
  );
  expect(judgedBy({ variants: [] })).toBe("accuracy");
});
