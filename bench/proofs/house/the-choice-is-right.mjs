// Is what a search takes the best that it could take? On a simulated machine, where the truth is known. What more time
// does on real models is shown by longer-is-no-worse-….mjs.
import { join } from "node:path";
import { scenarios } from "./support/scenarios.mjs";
import { openSearch } from "./support/simulated-search.mjs";

const runs = 10_000;

export async function prove({ claim, root }) {
  const { clopperPearson } = await import(join(root, "bench/dist/statistics/binomial.js"));
  const search = await openSearch(root, scenarios(root));
  let near = 0;
  let unacceptable = 0;
  for (let number = 0; number < runs; number += 1) {
    const { overBest, unacceptable: taken } = await search(number);
    if (overBest <= 1.03) near += 1;
    if (taken) unacceptable += 1;
    if (number % 500 === 499) console.error(`${number + 1} of ${runs} simulated searches`);
  }
  const nearInterval = clopperPearson(near, runs);
  claim("chosen within 3 % of the best acceptable latency, of simulated searches", {
    value: near / runs,
    bound: "lower bound >= .95",
    n: runs,
    interval: nearInterval,
    met: nearInterval[0] >= 0.95,
  });
  const takenInterval = clopperPearson(unacceptable, runs);
  claim("an unacceptable drop is taken, of simulated searches", {
    value: unacceptable / runs,
    bound: "upper bound <= .025",
    n: runs,
    interval: takenInterval,
    met: takenInterval[1] <= 0.025,
  });
}
