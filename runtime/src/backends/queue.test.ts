import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { Queue } from "./queue.js";

function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => ([resolve, reject] = [yes, no]));
  return { promise, resolve, reject };
}

describe("Queue", () => {
  it("runs one task at a time, in order, and goes on after a failure", async () => {
    const queue = new Queue();
    const events: string[] = [];
    const task =
      (name: string, fails = false) =>
      async () => {
        events.push(`${name} starts`);
        await Promise.resolve();
        events.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      };
    const results = await Promise.allSettled([
      queue.run(task("a")),
      queue.run(task("b", true)),
      queue.run(task("c")),
    ]);
    expect(events).toEqual(["a starts", "a ends", "b starts", "b ends", "c starts", "c ends"]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  });

  it("takes an aborted task out before it starts", async () => {
    const queue = new Queue();
    const gate = deferred<void>();
    const abort = new AbortController();
    let started = false;
    const first = queue.run(() => gate.promise);
    const second = queue.run(async () => void (started = true), abort.signal);
    const third = queue.run(async () => "third");
    abort.abort();
    await expect(second).rejects.toMatchObject({ code: "ABORTED" });
    gate.resolve();
    await first;
    expect(await third).toBe("third");
    expect(started).toBe(false);
  });

  it("rejects at once for a task in flight, discards its result, and starts the next only after it", async () => {
    const queue = new Queue();
    const gate = deferred<string>();
    const abort = new AbortController();
    const discarded: string[] = [];
    const events: string[] = [];
    const first = queue.run(
      () => gate.promise,
      abort.signal,
      (late) => discarded.push(late),
    );
    const second = queue.run(async () => events.push("second"));
    await new Promise((started) => setTimeout(started));
    abort.abort();
    await expect(first).rejects.toMatchObject({ code: "ABORTED" });
    expect(events).toEqual([]);
    gate.resolve("late");
    await second;
    expect(discarded).toEqual(["late"]);
  });

  it("does not start with an aborted signal, and listens no longer than it must", async () => {
    const queue = new Queue();
    await expect(queue.run(async () => 1, AbortSignal.abort())).rejects.toMatchObject({
      code: "ABORTED",
    });
    const abort = new AbortController();
    let listening = 0;
    const signal = new Proxy(abort.signal, {
      get(target, key) {
        if (key === "addEventListener")
          return (...args: Parameters<AbortSignal["addEventListener"]>) => (
            listening++,
            target.addEventListener(...args)
          );
        if (key === "removeEventListener")
          return (...args: Parameters<AbortSignal["removeEventListener"]>) => (
            listening--,
            target.removeEventListener(...args)
          );
        return Reflect.get(target, key, target);
      },
    });
    expect(await queue.run(async () => 1, signal)).toBe(1);
    expect(listening).toBe(0);
  });

  it("listens once to a signal of many tasks, each of which it ends", async () => {
    const queue = new Queue();
    const abort = new AbortController();
    const tasks = Array.from({ length: 20 }, async () =>
      queue.run(() => new Promise(() => {}), abort.signal),
    );
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(1);
    abort.abort();
    const ended = await Promise.allSettled(tasks);
    expect(ended.map(({ status }) => status)).toEqual(Array(20).fill("rejected"));
  });
});
