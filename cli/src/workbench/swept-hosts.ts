import { type HostOptions, type Hosts, openHosts } from "@pare/bench";
import type { TargetName } from "@pare/runtime/format";
import { temporaryFolder } from "../platform/temporary-folder.js";

/** `openHosts`, with all that engines write in one folder: the next run sweeps it, where this process is killed. */
export async function openSweptHosts(
  targets: readonly TargetName[],
  options: Omit<HostOptions, "folder"> = {},
): Promise<Hosts> {
  const folder = await temporaryFolder();
  try {
    const hosts = await openHosts(targets, { ...options, folder: folder.path });
    return {
      ...hosts,
      async dispose() {
        await hosts.dispose();
        await folder.dispose();
      },
    };
  } catch (error) {
    await folder.dispose();
    throw error;
  }
}
