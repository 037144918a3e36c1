import { expect, it } from "vitest";
import { studentSource } from "./student.js";

const dropped = (text: string): unknown => {
  const source = studentSource(text);
  return source.kind === "cut" ? source.steps.at(-1)?.with : source.path;
};

it("reads a file, or how the teacher is cut down", () => {
  expect(dropped("small.onnx")).toBe("small.onnx");
  expect(dropped("models/depth=2.onnx")).toBe("models/depth=2.onnx");
  expect(dropped("depth=0.5")).toEqual({ keep: 0.5 });
  expect(dropped("layers=3")).toEqual({ layers: 3 });
  expect(dropped("layers=0+2+5")).toEqual({ layers: [0, 2, 5] });
  expect(dropped("layers=3,by=influence")).toEqual({ layers: 3, by: "influence" });
  expect(dropped("by=influence depth=0.25")).toEqual({ keep: 0.25, by: "influence" });
  expect(studentSource("width=0.5,layers=2")).toMatchObject({
    steps: [
      { use: "simplify" },
      { use: "drop-layers", with: { layers: 2 } },
      { use: "prune", with: { keepChannels: 0.5, scope: "layer" } },
    ],
  });
  expect(studentSource("width=0.25")).toMatchObject({
    steps: [{ use: "simplify" }, { use: "prune", with: { keepChannels: 0.25 } }],
  });
});

it.each([
  ["layers=3,depth=0.5", /says twice how many layers are left/],
  ["by=influence", /does not say how many layers are left/],
  ["by=influence,width=0.5", /does not say how many layers are left/],
  ["layers=0+2+5,by=influence", /says which layers are left, and how they are chosen/],
  ["layers=three", /has "three" for layers/],
  ["layers=1+", /has "1\+" for layers/],
  ["depth=0.5,height=2", /does not know "height"/],
])("says what is wrong with %s", (text, message) => {
  expect(() => studentSource(text)).toThrow(message);
});
