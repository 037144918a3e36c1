import { executor, openHosts } from "@pare/bench";
import { expect, it } from "vitest";
import { hostWorkers } from "./host-workers.js";
import { trained } from "./training/small-training.test.support.js";

it("lets a further process share batches with the one that is there", async () => {
  const { hosts, dispose } = await openHosts(["cpu"]);
  try {
    const host = hosts.get("cpu");
    if (host === undefined) throw new Error("no engine");
    const one = await trained(1, executor(host));
    const two = await trained(2, executor(host), hostWorkers(host));
    for (const [at, loss] of one.losses.entries()) expect(two.losses[at]).toBeCloseTo(loss, 5);
    expect(two.weights).not.toEqual(one.weights);
  } finally {
    await dispose();
  }
});
