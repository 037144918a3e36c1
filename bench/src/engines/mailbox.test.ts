import { expect, it } from "vitest";
import { Mailboxes } from "./mailbox.js";
import { ModuleServer } from "./module-server.js";

it("has nothing for a worker that failed to start", async () => {
  const mailboxes = new Mailboxes();
  const server = await ModuleServer.start((...asked) => mailboxes.handle(...asked));
  try {
    const numbers: number[] = [];
    const failed = new Error("There is no page.");
    const start = async (id: number): Promise<void> => {
      numbers.push(id);
      throw failed;
    };
    await expect(mailboxes.open("an engine", start, async () => {})).rejects.toBe(failed);
    const asked = await fetch(`${server.base}call/${numbers[0]}`, {
      signal: AbortSignal.timeout(5000),
    });
    expect(asked.status).toBe(410);
  } finally {
    await server.dispose();
  }
});

it("fails a call whose answer cannot be read, and goes on", async () => {
  const mailboxes = new Mailboxes();
  const server = await ModuleServer.start((...asked) => mailboxes.handle(...asked));
  try {
    let number = 0;
    const start = async (id: number): Promise<void> => void (number = id);
    const channel = await mailboxes.open("an engine", start, async () => {});
    for (const body of ["garbage", "", "{}"]) {
      const unread = expect(channel.call({ kind: "start" })).rejects.toMatchObject({
        code: "ENGINE",
        message: expect.stringContaining("cannot be read"),
      });
      await fetch(`${server.base}call/${number}`, { method: "POST", body });
      await unread;
    }
    expect(channel.alive).toBe(true);
    const lost = expect(channel.call({ kind: "start" })).rejects.toMatchObject({
      message: expect.stringContaining("it has no memory"),
    });
    await fetch(`${server.base}call/${number}`, { method: "DELETE", body: "it has no memory" });
    await lost;
  } finally {
    await server.dispose();
  }
});
