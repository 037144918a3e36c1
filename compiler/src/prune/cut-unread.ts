import type { Graph } from "../ir/index.js";
import { cutChannels } from "./cut.js";
import { channelGroups } from "./groups.js";
import { unreadUnits } from "./importance.js";

/**
 * Takes out the channels that no weight reads, through whatever couples them: what is left computes the same.
 * @param multiple channels are left in multiples of this, the most that a processor takes at once: fewer are no faster
 */
export async function cutUnread(graph: Graph, multiple = 16): Promise<void> {
  const { axes, groups } = channelGroups(graph);
  const unread = await unreadUnits(graph, axes, groups);
  const cuts = groups.flatMap((group, at) => {
    const gone = unread[at] ?? [];
    const { units, width } = group;
    const kept = Math.max(1, units - gone.length);
    const whole = Math.min(units, (Math.ceil((kept * width) / multiple) * multiple) / width);
    const most = units - Math.ceil(whole);
    return most === 0 ? [] : [{ group, gone: gone.slice(0, most) }];
  });
  if (cuts.length === 0) return;
  await cutChannels(graph, axes, cuts, (editor) => {
    for (const { group, gone } of cuts)
      editor.note(group.node, `${gone.length} channels were read by no weight`);
  });
}
