/**
 * The live stream: what crosses from the dashboard's server to the browser
 * unasked. Rows, request bodies and answers are in the files beside this one,
 * by subject.
 */

import { z } from "zod";
import { ActivityRow } from "./activity.ts";
import { AdvertisementRow } from "./advertisements.ts";
import { ComponentRow } from "./components.ts";
import { NodeRow } from "./nodes.ts";
import { OperationRow } from "./operations.ts";
import { PoolRow } from "./pools.ts";
import { ProbeReply, ProbeRow, ProbeTick } from "./probes.ts";
import { ServiceRow } from "./services.ts";
import { Session } from "./session.ts";

/** The topics of the live stream and the rows that each carries; `rowName` names them. */
export const TOPICS = {
  session: Session,
  services: ServiceRow,
  pools: PoolRow,
  advertisements: AdvertisementRow,
  nodes: NodeRow,
  components: ComponentRow,
  operations: OperationRow,
  activity: ActivityRow,
  probes: ProbeRow,
} as const;

export type Topic = keyof typeof TOPICS;

export type RowOf<T extends Topic> = z.infer<(typeof TOPICS)[T]>;

const topicNames = Object.keys(TOPICS) as [Topic, ...Topic[]];

/**
 * Messages of `GET /api/stream` (server-sent events, `data:` is this JSON).
 * A connection begins with one `snapshot` per topic, then `hello`; deltas
 * follow, gathered over at most 50 ms. `ping` every 5 s. After `resync` new snapshots follow.
 */
export const StreamMessage = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("hello"), at: z.number(), version: z.string() }),
  z.object({ kind: z.literal("ping"), at: z.number() }),
  z.object({ kind: z.literal("resync") }),
  z.object({ kind: z.literal("snapshot"), topic: z.enum(topicNames), at: z.number(), rows: z.array(z.unknown()) }),
  z.object({
    kind: z.literal("delta"),
    topic: z.enum(topicNames),
    at: z.number(),
    upserts: z.array(z.unknown()),
    removes: z.array(z.string()),
  }),
  z.object({ kind: z.literal("probe"), tick: ProbeTick, replies: z.array(ProbeReply) }),
]);
export type StreamMessage = z.infer<typeof StreamMessage>;
