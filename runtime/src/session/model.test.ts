import { expect, it } from "vitest";
import type { Session } from "../format/engine/backend.js";
import { openModel } from "./model.js";

const free = { name: "x", type: "float32", dims: ["N", 8] } as const;
const fixed = { ...free, dims: [1, 8] } as const;
const selection = { chosen: "a", target: "aot", engine: "none", proven: true, tried: [] } as const;
const session: Session = {
  inputs: [fixed],
  outputs: [{ ...fixed, name: "y" }],
  run: async () => ({}),
  dispose: async () => {},
};

it("says what it takes as its variant does: of sizes that are free one that is compiled has its own", () => {
  const said = { name: "m", inputs: [free], outputs: [{ ...free, name: "y" }] };
  const { inputs, outputs } = openModel(said as never, session, selection);
  expect([inputs, outputs]).toEqual([said.inputs, said.outputs]);
  const runSync = (() => ({})) as never;
  const compiled = openModel(said as never, { ...session, runSync }, selection);
  expect([compiled.inputs, compiled.outputs]).toEqual([session.inputs, session.outputs]);
});
