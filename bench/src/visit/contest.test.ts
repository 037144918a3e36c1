import { onnxArtifact, PareError, type Tensors } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { encode } from "../engines/codec.js";
import type { Channel, EngineReplies, EngineRequest } from "../engines/protocol.js";
import { WaitingCall } from "../engines/waiting-call.js";
import { runContest } from "./contest.js";
import type { ContestState } from "./state.js";
import type { Visit } from "./visited-browser.js";

/** Of an engine that starts at once. */
const replies: Partial<EngineReplies> = {
  probe: { engine: "An engine", software: false, features: [], unavailable: null },
  load: { inputs: [], outputs: [], loadMs: 1 },
  run: { outputs: [], ms: 1 },
  memory: { peakBytes: null },
};

class FakeChannel implements Channel {
  readonly alive = true;
  readonly #calls = new WaitingCall("An engine", {
    send: ({ kind }) => this.#calls.answer(encode({ ok: true, value: replies[kind] })),
    end: () => {},
    crash: (how) => new PareError("ENGINE_CRASHED", how),
  });

  call<K extends EngineRequest["kind"]>(
    request: Extract<EngineRequest, { kind: K }>,
  ): Promise<EngineReplies[K]> {
    return this.#calls.call<K>(request);
  }

  async dispose(): Promise<void> {}
}

class FakeVisit implements Visit {
  readonly browser = "a browser";
  isOver = false;
  opened = 0;

  async openChannel(): Promise<Channel> {
    this.opened += 1;
    return new FakeChannel();
  }

  show(): void {}

  servedFiles(): readonly string[] {
    return [];
  }
}

it.each(["page", "caller"])(
  "starts nothing more where the %s goes while files are compressed",
  async (who) => {
    const visit = new FakeVisit();
    const stop = new AbortController();
    const feeds: [Tensors] = [{}];
    let openedBefore = 0;
    const onState = ({ phase }: ContestState): void => {
      if (!phase.startsWith("Compressing")) return;
      openedBefore = visit.opened;
      if (who === "page") visit.isOver = true;
      else stop.abort();
    };
    const contenders = [{ target: "wasm", artifact: onnxArtifact(new Uint8Array(9)) }] as const;
    const { signal } = stop;
    const request = {
      model: "m",
      contenders,
      feeds,
      seed: 1,
      signal,
      fileSizes: new Map(),
      onState,
    };
    await expect(runContest(visit, request)).rejects.toMatchObject({
      code: who === "page" ? "ENGINE_CRASHED" : "ABORTED",
    });
    expect(openedBefore).toBeGreaterThan(0);
    expect(visit.opened).toBe(openedBefore);
  },
);
