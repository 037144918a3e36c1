import { expect, it } from "vitest";
import { docsText, version } from "./package-facts.js";

it("says where the docs are: at the homepage, where the package has one", () => {
  expect(docsText({})).toBe("Docs: docs/reference/cli.md in Pare's repository");
  expect(docsText({ homepage: "https://example.org/pare" })).toBe(
    "Docs: docs/reference/cli.md at https://example.org/pare",
  );
  expect(version()).toMatch(/^\d+\.\d+\.\d+$/);
});
