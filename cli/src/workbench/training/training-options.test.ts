import { distill } from "@pare/compiler";
import { expect, it } from "vitest";
import { trainingDefaults } from "./training-options.js";

it("help says what the pass takes where nothing is said", () => {
  expect(distill.parse({})).toMatchObject(trainingDefaults);
});
