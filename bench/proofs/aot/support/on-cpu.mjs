const blocks = 15;
const runs = 20;

/** How much faster the second of two sessions is: medians of blocks of runs, one session after the other. */
export async function ratioOnCpu(before, after, feeds) {
  const times = [[], []];
  for (let block = -1; block < blocks; block += 1)
    for (const [at, session] of [before, after].entries()) {
      const start = performance.now();
      for (let run = 0; run < runs; run += 1) await session.run(feeds);
      if (block >= 0) times[at].push((performance.now() - start) / runs);
    }
  const [slow, fast] = times.map((all) => all.sort((x, y) => x - y)[blocks >> 1]);
  return { ratio: slow / fast, blocks, note: [slow, fast].map(inMicroseconds).join(" and ") };
}

export const inMicroseconds = (ms) => `${(ms * 1000).toPrecision(3)} µs`;
