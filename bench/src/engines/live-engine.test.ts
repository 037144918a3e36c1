import { expect, it } from "vitest";
import { LiveEngine } from "./live-engine.js";
import type { Channel } from "./protocol.js";

/** An engine whose answers come when they are let; how many were started, and are left. */
function engine() {
  const state = { started: 0, running: 0 };
  let answer = (): void => {};
  const open = async (): Promise<Channel> => {
    state.started += 1;
    state.running += 1;
    let alive = true;
    let fail = (): void => {};
    return {
      get alive() {
        return alive;
      },
      call: () =>
        new Promise<never>((resolve, reject) => {
          answer = () => resolve(null as never);
          fail = () => reject(new Error("It ended."));
        }),
      async dispose() {
        if (!alive) return;
        alive = false;
        state.running -= 1;
        fail();
      },
    };
  };
  const live = new LiveEngine({ target: "cpu", engine: "said" }, null, open, 60_000, () => {});
  return { live, state, answer: () => answer() };
}

/** Until what is waiting had its turn. */
const turns = () => new Promise((resolve) => setTimeout(resolve, 5));

it("starts no engine for what waits when it is disposed of", async () => {
  const { live, state } = engine();
  const calls = [1, 2, 3].map(() => live.call({ kind: "memory" }));
  await turns();
  const results = Promise.allSettled(calls);
  await live.dispose();
  const [first, ...others] = await results;
  expect(first).toMatchObject({ status: "rejected" });
  for (const one of others)
    expect(one).toMatchObject({ status: "rejected", reason: { code: "DISPOSED" } });
  expect(state).toEqual({ started: 1, running: 0 });
});

it("ends an engine that was starting when it is disposed of", async () => {
  const { live, state } = engine();
  const call = live.call({ kind: "memory" });
  const rejected = expect(call).rejects.toMatchObject({ code: "DISPOSED" });
  await live.dispose();
  await rejected;
  expect(state).toEqual({ started: 0, running: 0 });
  const fresh = live.inFresh(async () => 1);
  await expect(fresh).rejects.toMatchObject({ code: "DISPOSED" });
});

it("starts no engine for what was cancelled before its turn", async () => {
  const { live, state, answer } = engine();
  const controller = new AbortController();
  const first = live.call({ kind: "memory" });
  const second = live.call({ kind: "memory" }, { signal: controller.signal });
  const rejected = expect(second).rejects.toMatchObject({ code: "ABORTED" });
  await turns();
  controller.abort();
  answer();
  await first;
  await live.recycle();
  await rejected;
  expect(state).toEqual({ started: 1, running: 0 });
});
