import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { messageOf, PareError, type TargetName } from "@pare/runtime/format";
import { engineCrashed, lastWords } from "./engine-crashed.js";
import { Messages, pipeNumber, sendMessage } from "./messages.js";
import type { Channel, EngineReplies, EngineRequest } from "./protocol.js";
import { WaitingCall } from "./waiting-call.js";

/** The child runs compiled code, also when this file is run from `src` by a test. */
const childEntry = fileURLToPath(new URL("../../dist/engines/node-child.js", import.meta.url));

const stderrKept = 4096;

/**
 * An engine in a child process: a crash is a lost candidate and not a lost tool, Ctrl-C works in the middle of a run,
 * and memory can be told apart. Terminating a worker thread during a run would abort this process.
 */
export async function openNodeChannel(target: TargetName): Promise<Channel> {
  const child = spawn(process.execPath, [childEntry, target], {
    // Else onnxruntime-node has telemetry, which also leaves a log per process in the temporary folder.
    env: { ORT_DISABLE_TELEMETRY: "1", ...process.env },
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  const refused = await once(child, "spawn").then(
    () => "",
    (error: unknown) => messageOf(error),
  );
  const pipe = refused === "" ? child.stdio[pipeNumber] : null;
  if (pipe instanceof Socket) return new NodeChannel(child, pipe, target);
  throw new PareError("ENGINE", `The ${target} engine's process does not start: ${refused}`, {
    where: process.execPath,
    hint: "Free some memory and file descriptors.",
  });
}

class NodeChannel implements Channel {
  readonly #child: ChildProcess;
  readonly #calls: WaitingCall;
  #stderr = "";

  constructor(child: ChildProcess, pipe: Socket, name: string) {
    this.#child = child;
    this.#calls = new WaitingCall(name, {
      send: (request) => sendMessage(pipe, request),
      end: () => void child.kill("SIGKILL"),
      crash: (how) => this.#crash(name, how),
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-stderrKept);
    });
    const messages = new Messages((message) => this.#calls.answer(message));
    pipe.on("data", (chunk: Uint8Array) => messages.add(chunk));
    // A process that is gone says so itself.
    pipe.on("error", () => {});
    child.on("error", (error) => this.#calls.end(error.message));
    child.on("exit", (status, signal) =>
      this.#calls.end(signal ? `it was ended by ${signal}` : `it ended with status ${status}`),
    );
  }

  get alive(): boolean {
    return this.#calls.alive;
  }

  call<K extends EngineRequest["kind"]>(
    request: Extract<EngineRequest, { kind: K }>,
    signal?: AbortSignal,
  ): Promise<EngineReplies[K]> {
    return this.#calls.call<K>(request, signal);
  }

  async dispose(): Promise<void> {
    if (!this.alive) return;
    const gone = new Promise<void>((resolve) => this.#child.once("exit", () => resolve()));
    this.#child.kill("SIGKILL");
    await gone;
  }

  #crash(name: string, how: string): PareError {
    const said = lastWords(this.#stderr);
    const message = `The ${name} engine's process is gone: ${how}${said ? ` (${said})` : ""}.`;
    return engineCrashed(
      message,
      name,
      /SIGKILL/.test(how) ? { hint: "A process that is killed usually ran out of memory." } : {},
    );
  }
}
