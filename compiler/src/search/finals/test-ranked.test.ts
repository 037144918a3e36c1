import { PareError } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { optimize } from "../optimize.js";
import { bytesOf, device, original, requestFor } from "../search-request.test.support.js";
import { simulatedMeasure } from "../simulated-measure.test.support.js";

it("comes back to what was turned down by time, however many fail on the test samples", async () => {
  const share = (bytes: number): number => bytes / bytesOf(original);
  const measure = simulatedMeasure((artifact) => {
    const own = share(bytesOf(artifact));
    if (own > 0.9) return {};
    return own > 0.4 ? { ratio: 0.9 } : { ratio: 0.5, testDrop: 0.2 };
  });
  const { variants, candidates } = await optimize(await requestFor(measure));
  const failed = candidates.filter(({ reason }) => reason.includes("but on the test samples"));
  expect(failed.length).toBeGreaterThan(1);
  expect(variants[0]?.name).toBe("fp16-weights");
});

it("has the model's own fault on the test samples told, and no candidate's", async () => {
  const measure = simulatedMeasure((artifact) =>
    bytesOf(artifact) === bytesOf(original) ? {} : { ratio: 0.5 },
  );
  const { accuracy } = measure;
  const fault = new PareError("ENGINE", "It takes no such sample.");
  measure.accuracy = async (ask) => {
    const given = await accuracy(ask);
    if (ask.split === "test" && ask.float === undefined) throw fault;
    return given;
  };
  await expect(optimize(await requestFor(measure))).rejects.toBe(fault);
  const tested = measure.asked.filter(({ split }) => split === "test");
  expect(tested.length).toBeLessThanOrEqual(2);
});

it("holds answers against the CPU engine where that was opened for it alone", async () => {
  const measure = simulatedMeasure(() => ({}));
  const devices = [device("wasm")];
  const answering = [...devices, device("cpu")];
  await optimize(await requestFor(measure, { devices, answering, evidence: "none" }));
  expect(measure.asked.filter(({ what }) => what === "parity")).not.toEqual([]);
});
