/**
 * Everything that crosses between the dashboard's server and the browser:
 * rows (projections of cluster objects, one per topic of the stream), request
 * bodies and problems. Counts of addresses are decimal strings, because an
 * IPv6 pool does not fit a number.
 */
import { z } from "zod";
import { ALLOCATION_REASONS, ANNOUNCE_REASONS, HOLD_REASONS, HOLD_STATES } from "#core/reasons";
import { WIRE_FINDINGS } from "#core/who-has";

/** One vocabulary for every status chip (visual.md section 2). */
export const Tone = z.enum(["ready", "pending", "warning", "failed", "unknown"]);
export type Tone = z.infer<typeof Tone>;

export const ServiceStatus = z.enum([
  "ready",
  "in_progress",
  "pending",
  "not_announced",
  "not_reachable",
  "no_ready_pods",
  "conflict",
  "not_ours",
  /** ClusterIP, NodePort or ExternalName: no load balancer was asked for. */
  "not_exposed",
  "unknown",
]);
export type ServiceStatus = z.infer<typeof ServiceStatus>;

/** Why one pool did not serve a Service; `sentence` names the pool and, where there is one, the address. */
export const Refusal = z.object({
  pool: z.string().nullable(),
  reason: z.enum(ALLOCATION_REASONS),
  sentence: z.string(),
});
export type Refusal = z.infer<typeof Refusal>;

export const PortRow = z.object({
  name: z.string().nullable(),
  port: z.number(),
  protocol: z.string(),
  targetPort: z.string(),
  nodePort: z.number().nullable(),
});

export const ServiceRow = z.object({
  /** "namespace/name" */
  key: z.string(),
  namespace: z.string(),
  name: z.string(),
  type: z.enum(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]),
  headless: z.boolean(),
  status: ServiceStatus,
  /** At most four words beside the chip; "" when ready. */
  cause: z.string(),
  /** The whole truth in one or two sentences. */
  sentence: z.string(),
  reason: z.enum(ALLOCATION_REASONS).nullable(),
  refusals: z.array(Refusal),
  addresses: z.array(z.string()),
  /** Where this machine reaches it when the address itself cannot be bound: ["127.0.0.1:18080"]. */
  reachableAt: z.array(z.string()),
  shared: z.boolean(),
  ports: z.array(PortRow),
  clusterIPs: z.array(z.string()),
  pool: z.string().nullable(),
  requestedPool: z.string().nullable(),
  requestedAddresses: z.array(z.string()),
  announcedBy: z.array(z.string()),
  endpoints: z.object({ ready: z.number(), total: z.number() }),
  externalTrafficPolicy: z.enum(["Cluster", "Local"]).nullable(),
  sessionAffinity: z.enum(["None", "ClientIP"]),
  selector: z.record(z.string(), z.string()),
  loadBalancerClass: z.string().nullable(),
  /** Null when "Expose" may be pressed; otherwise why not. */
  exposeBlockedBy: z.string().nullable(),
  createdAt: z.string(),
  resourceVersion: z.string(),
});
export type ServiceRow = z.infer<typeof ServiceRow>;

export const FamilyUse = z.object({
  assigned: z.string(),
  available: z.string(),
  total: z.string(),
  /** Usable addresses in short form for huge pools: "2⁶⁴". Equal to `total` otherwise. */
  totalText: z.string(),
  nextFree: z.string().nullable(),
  /** ux.md 2.2: warning at ≥ 75 % or ≤ 3 left, failed at ≥ 90 % or ≤ 1 left. */
  pressure: z.enum(["ready", "warning", "failed"]),
});
export type FamilyUse = z.infer<typeof FamilyUse>;

export const Finding = z.object({
  severity: z.enum(["error", "warning"]),
  /** Dotted path in the object: "spec.addresses.0". */
  field: z.string(),
  message: z.string(),
  fix: z.string(),
});
export type Finding = z.infer<typeof Finding>;

export const SelectorRow = z.object({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z
    .array(z.object({ key: z.string(), operator: z.string(), values: z.array(z.string()).optional() }))
    .optional(),
});
export type SelectorRow = z.infer<typeof SelectorRow>;

export const PoolRow = z.object({
  name: z.string(),
  addresses: z.array(z.string()),
  autoAssign: z.boolean(),
  avoidBuggyIPs: z.boolean(),
  priority: z.number().nullable(),
  namespaces: z.array(z.string()),
  namespaceSelectors: z.array(SelectorRow),
  serviceSelectors: z.array(SelectorRow),
  ipv4: FamilyUse.nullable(),
  ipv6: FamilyUse.nullable(),
  /** Services that hold an address of the pool. */
  services: z.array(z.string()),
  /** L2Advertisements that cover it; empty = nobody announces this pool. */
  advertisedBy: z.array(z.string()),
  findings: z.array(Finding),
  /** False when the object is invalid and its last valid version (if any) is in force. */
  valid: z.boolean(),
  createdAt: z.string(),
  resourceVersion: z.string(),
});
export type PoolRow = z.infer<typeof PoolRow>;

export const AddressState = z.enum([
  "free",
  "assigned",
  "shared",
  "requested",
  "excluded",
  "stale",
  "held",
  "conflict",
]);
export const AddressRow = z.object({
  address: z.string(),
  state: AddressState,
  services: z.array(z.string()),
  announcedBy: z.string().nullable(),
  /** Of a held address: why, in words, and the name of the AddressHold. */
  note: z.string().optional(),
  hold: z.string().optional(),
});
export type AddressRow = z.infer<typeof AddressRow>;
export const AddressPage = z.object({
  pool: z.string(),
  /** Decimal count of all usable addresses of the pool. */
  total: z.string(),
  nextFree: z.string().nullable(),
  addresses: z.array(AddressRow),
  /** Offset to ask for next, or null at the end. */
  next: z.number().nullable(),
});
export type AddressPage = z.infer<typeof AddressPage>;

export const AdvertisementRow = z.object({
  name: z.string(),
  kind: z.literal("L2"),
  ipAddressPools: z.array(z.string()),
  ipAddressPoolSelectors: z.array(SelectorRow),
  nodeSelectors: z.array(SelectorRow),
  serviceSelectors: z.array(SelectorRow),
  interfaces: z.array(z.string()),
  /** Pools it covers in effect. */
  covers: z.array(z.string()),
  /** Nodes that may announce for it. */
  nodes: z.array(z.string()),
  findings: z.array(Finding),
  createdAt: z.string(),
  resourceVersion: z.string(),
});
export type AdvertisementRow = z.infer<typeof AdvertisementRow>;

export const HoldRow = z.object({
  name: z.string(),
  addresses: z.array(z.string()),
  reason: z.enum(HOLD_REASONS),
  /** RFC 3339; null: until it is deleted. */
  expiry: z.string().nullable(),
  note: z.string(),
  mac: z.string().nullable(),
  node: z.string().nullable(),
  /** Of the object as it is written. */
  state: z.enum(HOLD_STATES),
  /** Services that have one of the addresses, and keep it. */
  services: z.array(z.string()),
  findings: z.array(Finding),
  createdAt: z.string(),
  resourceVersion: z.string(),
});
export type HoldRow = z.infer<typeof HoldRow>;

export const AnnouncedAddress = z.object({
  address: z.string(),
  service: z.string(),
  pool: z.string().nullable(),
  since: z.string().nullable(),
});
export const NodeRow = z.object({
  name: z.string(),
  ready: z.boolean(),
  schedulable: z.boolean(),
  poweredOff: z.boolean(),
  addresses: z.array(z.string()),
  speaker: z
    .object({
      pod: z.string(),
      ready: z.boolean(),
      restarts: z.number(),
      interfaces: z.array(z.object({ name: z.string(), mac: z.string(), up: z.boolean() })),
      members: z.array(z.object({ node: z.string(), alive: z.boolean() })),
      heartbeatAt: z.string().nullable(),
    })
    .nullable(),
  announces: z.array(AnnouncedAddress),
  /** "announced" means eligible; anything else says why this node is no candidate. */
  eligibility: z.enum(ANNOUNCE_REASONS),
  kubeletVersion: z.string().nullable(),
  createdAt: z.string(),
});
export type NodeRow = z.infer<typeof NodeRow>;

export const ComponentPod = z.object({
  pod: z.string(),
  node: z.string().nullable(),
  phase: z.string(),
  ready: z.boolean(),
  restarts: z.number(),
  startedAt: z.string().nullable(),
  message: z.string().nullable(),
  configuration: z.object({ result: z.enum(["Valid", "Invalid", "Unknown"]), message: z.string() }),
  memoryBytes: z.number().nullable(),
});
export const ComponentRow = z.object({
  component: z.enum(["controller", "speaker"]),
  installed: z.boolean(),
  image: z.string().nullable(),
  desired: z.number(),
  ready: z.number(),
  pods: z.array(ComponentPod),
  /** Null when install, restart and uninstall may be pressed; otherwise why not. */
  actionsBlockedBy: z.string().nullable(),
});
export type ComponentRow = z.infer<typeof ComponentRow>;

export const ActivityRow = z.object({
  id: z.string(),
  at: z.string(),
  type: z.enum(["Normal", "Warning"]),
  reason: z.string(),
  /** "Service default/nginx" */
  object: z.string(),
  message: z.string(),
  component: z.string(),
  count: z.number(),
});
export type ActivityRow = z.infer<typeof ActivityRow>;

/** A thing under way whose steps are timed from the server's monotonic clock. */
export const OperationStep = z.object({
  name: z.string(),
  /** "Assigned 127.77.10.1" */
  label: z.string(),
  state: z.enum(["waiting", "running", "done", "failed", "skipped"]),
  /** Milliseconds from the start of the operation until this step ended; null before. */
  elapsedMs: z.number().nullable(),
  detail: z.string().nullable(),
});
export const OperationRow = z.object({
  id: z.string(),
  kind: z.enum(["expose", "unexpose", "install", "uninstall", "restart", "fix", "demo"]),
  /** "default/nginx", "controller", "strict-arp" */
  target: z.string(),
  state: z.enum(["running", "done", "failed"]),
  startedAt: z.string(),
  steps: z.array(OperationStep),
});
export type OperationRow = z.infer<typeof OperationRow>;

export const CheckRow = z.object({
  id: z.string(),
  title: z.string(),
  state: z.enum(["passed", "warning", "failed", "unknown", "not_applicable"]),
  /** What was looked at and what it said: "ConfigMap kube-proxy: strictARP false". */
  evidence: z.string(),
  explanation: z.string(),
  fix: z.object({ label: z.string(), change: z.string() }).nullable(),
  /** Belief against wire, for checks that asked the network. */
  wire: z
    .array(
      z.object({
        address: z.string(),
        service: z.string(),
        believed: z.object({ node: z.string(), mac: z.string() }).nullable(),
        askedAt: z.string(),
        askedFrom: z.string(),
        answers: z.array(
          z.object({
            mac: z.string(),
            node: z.string().nullable(),
            expected: z.boolean(),
            rttMs: z.number().nullable(),
          }),
        ),
      }),
    )
    .default([]),
  ranAt: z.string(),
});
export type CheckRow = z.infer<typeof CheckRow>;

export const OUTCOMES = [
  "ok",
  "refused",
  "timeout",
  "reset",
  "unreachable",
  "http_4xx",
  "http_5xx",
  "bad_reply",
] as const;
export const Outcome = z.enum(OUTCOMES);
export type Outcome = z.infer<typeof Outcome>;

export const ProbeReply = z.object({
  seq: z.number(),
  /** Wall time, ms since the epoch. */
  at: z.number(),
  outcome: Outcome,
  pod: z.string().nullable(),
  node: z.string().nullable(),
  status: z.number().nullable(),
  /** Milliseconds from before connect to the last byte. */
  totalMs: z.number(),
  /** The reply as a terminal shows it (first line, at most 200 characters), or the error in words. */
  text: z.string(),
});
export type ProbeReply = z.infer<typeof ProbeReply>;

/** One second of one probe. */
export const ProbeTick = z.object({
  id: z.string(),
  /** Start of the second, ms since the epoch. */
  at: z.number(),
  perPod: z.record(z.string(), z.number()),
  outcomes: z.partialRecord(Outcome, z.number()),
  p50: z.number().nullable(),
  p95: z.number().nullable(),
});
export type ProbeTick = z.infer<typeof ProbeTick>;

export const ProbePod = z.object({
  pod: z.string(),
  node: z.string().nullable(),
  /** In the sliding window. */
  count: z.number(),
  /** 0..1 of attributed replies in the window. */
  share: z.number(),
  /** 0..1, or null when the model knows nothing of this pod. */
  expected: z.number().nullable(),
  /** Half width of the 95 % range around `expected`, 0..1. */
  halfWidth: z.number().nullable(),
  gone: z.boolean(),
});

export const ProbeRow = z.object({
  id: z.string(),
  service: z.string(),
  address: z.string(),
  port: z.number(),
  url: z.string(),
  /** Requests per second, 0.1..50. */
  rate: z.number(),
  state: z.enum(["running", "stopped", "failed"]),
  startedAt: z.string(),
  stoppedAt: z.string().nullable(),
  stopsAt: z.string(),
  sent: z.number(),
  outcomes: z.partialRecord(Outcome, z.number()),
  /** Attributed replies in the window (at most the last 300). */
  window: z.number(),
  pods: z.array(ProbePod),
  /** "Expecting 33.3 % each: L2, policy Cluster, 3 ready pods". */
  model: z.string(),
  verdict: z.object({
    kind: z.enum(["collecting", "even", "uneven", "too_even", "affinity", "failing"]),
    sentence: z.string(),
    p: z.number().nullable(),
    jain: z.number().nullable(),
  }),
  latency: z.object({ p50: z.number().nullable(), p95: z.number().nullable(), p99: z.number().nullable() }),
  longestOutageMs: z.number(),
  vantage: z.string(),
});
export type ProbeRow = z.infer<typeof ProbeRow>;

export const Session = z.object({
  user: z.string(),
  cluster: z.string(),
  server: z.string(),
  version: z.string().nullable(),
  sandbox: z.boolean(),
  namespace: z.string(),
  connected: z.boolean(),
  /** Kinds the API server refuses to list for this user: "list services". */
  forbidden: z.array(z.string()),
  /** In words, when not connected. */
  problem: z.string().nullable(),
  /** First-run: which steps of design.md section 1 are done, derived from the cluster. */
  checklist: z.object({
    preflight: z.boolean(),
    install: z.boolean(),
    pool: z.boolean(),
    workload: z.boolean(),
    expose: z.boolean(),
    probe: z.boolean(),
  }),
});
export type Session = z.infer<typeof Session>;

/** The topics of the live stream and the rows that each carries; the row's key is `ROW_KEY[topic]`. */
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

/** The field that names a row within its topic; `session` has one row, named "session" on the wire. */
export const ROW_KEY = {
  session: "cluster",
  services: "key",
  pools: "name",
  advertisements: "name",
  nodes: "name",
  components: "component",
  operations: "id",
  activity: "id",
  probes: "id",
} as const satisfies Record<Topic, string>;

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

// --- request bodies -------------------------------------------------------

const Name = z
  .string()
  .min(1, "a name is needed")
  .max(253)
  .regex(
    /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
    "lower case letters, digits, '-' and '.', beginning and ending with a letter or digit",
  );

const PoolFields = {
  addresses: z.array(z.string().trim().min(1, "an address range is needed")).min(1, "at least one range is needed"),
  autoAssign: z.boolean(),
  avoidBuggyIPs: z.boolean(),
  priority: z.int().min(0).max(2147483647).nullable(),
  namespaces: z.array(Name),
  namespaceSelectors: z.array(SelectorRow),
  serviceSelectors: z.array(SelectorRow),
};

/** `advertise` makes an L2Advertisement of this name with the pool, in the same request. */
export const PoolCreate = z.strictObject({
  name: Name,
  addresses: PoolFields.addresses,
  autoAssign: PoolFields.autoAssign.default(true),
  avoidBuggyIPs: PoolFields.avoidBuggyIPs.default(false),
  priority: PoolFields.priority.default(null),
  namespaces: PoolFields.namespaces.default([]),
  namespaceSelectors: PoolFields.namespaceSelectors.default([]),
  serviceSelectors: PoolFields.serviceSelectors.default([]),
  advertise: z
    .strictObject({
      name: Name,
      interfaces: z.array(z.string()).default([]),
      nodeSelectors: z.array(SelectorRow).default([]),
    })
    .nullable()
    .default(null),
});
export type PoolCreate = z.infer<typeof PoolCreate>;
export type PoolCreateInput = z.input<typeof PoolCreate>;

/** Only what is present changes; `resourceVersion` guards against overwriting somebody else's edit. */
export const PoolPatch = z.strictObject({ resourceVersion: z.string().optional(), ...PoolFields }).partial();
export type PoolPatch = z.infer<typeof PoolPatch>;

const AdvertisementFields = {
  ipAddressPools: z.array(Name),
  ipAddressPoolSelectors: z.array(SelectorRow),
  nodeSelectors: z.array(SelectorRow),
  serviceSelectors: z.array(SelectorRow),
  interfaces: z.array(z.string().min(1)),
};
export const AdvertisementCreate = z.strictObject({
  name: Name,
  ipAddressPools: AdvertisementFields.ipAddressPools.default([]),
  ipAddressPoolSelectors: AdvertisementFields.ipAddressPoolSelectors.default([]),
  nodeSelectors: AdvertisementFields.nodeSelectors.default([]),
  serviceSelectors: AdvertisementFields.serviceSelectors.default([]),
  interfaces: AdvertisementFields.interfaces.default([]),
});
export type AdvertisementCreate = z.infer<typeof AdvertisementCreate>;
export type AdvertisementCreateInput = z.input<typeof AdvertisementCreate>;
export const AdvertisementPatch = z
  .strictObject({ resourceVersion: z.string().optional(), ...AdvertisementFields })
  .partial();
export type AdvertisementPatch = z.infer<typeof AdvertisementPatch>;

const HoldFields = {
  addresses: z.array(z.string().trim().min(1, "an address is needed")).min(1, "at least one address is needed"),
  reason: z.enum(HOLD_REASONS),
  /** RFC 3339. */
  expiry: z.string().nullable(),
  note: z.string().max(1024),
  mac: z.string().nullable(),
  node: z.string().nullable(),
};
export const HoldCreate = z.strictObject({
  name: Name,
  addresses: HoldFields.addresses,
  reason: HoldFields.reason.default("reserved"),
  expiry: HoldFields.expiry.default(null),
  note: HoldFields.note.default(""),
  mac: HoldFields.mac.default(null),
  node: HoldFields.node.default(null),
});
export type HoldCreate = z.infer<typeof HoldCreate>;
/** Only what is present changes; null takes a field out. */
export const HoldPatch = z.strictObject({ resourceVersion: z.string().optional(), ...HoldFields }).partial();
export type HoldPatch = z.infer<typeof HoldPatch>;

export const ExposeBody = z.strictObject({
  pool: Name.optional(),
  address: z.string().optional(),
  ports: z
    .array(
      z.strictObject({
        port: z.int().min(1).max(65535),
        targetPort: z.union([z.int(), z.string()]).optional(),
        protocol: z.enum(["TCP", "UDP"]).optional(),
        name: z.string().optional(),
      }),
    )
    .optional(),
  externalTrafficPolicy: z.enum(["Cluster", "Local"]).optional(),
  shareKey: z.string().optional(),
});
export type ExposeBody = z.infer<typeof ExposeBody>;

export const ProbeCreate = z.strictObject({
  service: z.string().regex(/^[^/]+\/[^/]+$/, 'a Service as "namespace/name"'),
  port: z.int().min(1).max(65535).optional(),
  path: z.string().startsWith("/", 'a path begins with "/"').max(1024).default("/"),
  rate: z
    .number("a number such as 5 is needed")
    .min(0.1, "at least 0.1 requests per second")
    .max(50, "at most 50 requests per second")
    .default(5),
  /** Stops by itself after this many seconds. */
  durationSeconds: z.int().min(1).max(3600).default(900),
});
export type ProbeCreate = z.infer<typeof ProbeCreate>;
export type ProbeCreateInput = z.input<typeof ProbeCreate>;

export const ProbeSamples = z.object({ id: z.string(), ticks: z.array(ProbeTick), replies: z.array(ProbeReply) });
export type ProbeSamples = z.infer<typeof ProbeSamples>;

export const YamlText = z.object({ yaml: z.string() });
export const LogText = z.object({ pod: z.string(), lines: z.array(z.string()) });
export const Started = z.object({ operation: z.string() });

/** RFC 9457 problem details; `fields` maps a dotted path of the body to what would be right. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  code: z.string(),
  fields: z.record(z.string(), z.string()).optional(),
});
export type Problem = z.infer<typeof Problem>;

// --- answers that are not rows (added by H; every screen reads exactly these) ----

/** `GET /api/services/{namespace}/{name}/diagnosis`: why it is, or is not, announced and reachable. */
export const Diagnosis = z.object({
  service: z.string(),
  /** The finding in one or two sentences; what the detail shows on top. */
  sentence: z.string(),
  refusals: z.array(Refusal),
  /** Every node: announces it, or why not (a sentence about that node). */
  nodes: z.array(
    z.object({ node: z.string(), announces: z.boolean(), reason: z.enum(ANNOUNCE_REASONS), sentence: z.string() }),
  ),
  /** Candidates in election order: the first announces, the second is next in line. */
  order: z.array(z.string()),
  endpoints: z.array(
    z.object({
      address: z.string(),
      pod: z.string().nullable(),
      node: z.string().nullable(),
      ready: z.boolean(),
      serving: z.boolean(),
      terminating: z.boolean(),
    }),
  ),
  /** The checklist of ux.md flow E, worked through now (added by G). */
  checks: z
    .array(
      z.object({
        id: z.string(),
        title: z.string(),
        state: z.enum(["passed", "warning", "failed", "unknown", "skipped"]),
        evidence: z.string(),
        /** What would help, in words; null when nothing is needed. */
        fix: z.string().nullable(),
      }),
    )
    .default([]),
  /** The same as plain text, for a ticket. */
  text: z.string().default(""),
});
export type Diagnosis = z.infer<typeof Diagnosis>;

/** `GET /api/services/{namespace}/{name}/path`: the way of a request, from the address to the pods. */
export const ServicePath = z.object({
  service: z.string(),
  /** How it came to its addresses, or why it has none. */
  assignment: z.object({
    status: ServiceStatus,
    sentence: z.string(),
    reason: z.enum(ALLOCATION_REASONS).nullable(),
    refusals: z.array(Refusal),
    addresses: z.array(z.object({ address: z.string(), pool: z.string().nullable() })),
  }),
  nodes: Diagnosis.shape.nodes,
  order: Diagnosis.shape.order,
  /** What speakers found wrong with its addresses on the wire. */
  wire: z.array(z.object({ address: z.string(), kind: z.enum(WIRE_FINDINGS), message: z.string() })),
  ports: z.array(PortRow),
  externalTrafficPolicy: ServiceRow.shape.externalTrafficPolicy,
  sessionAffinity: ServiceRow.shape.sessionAffinity,
  endpoints: z.array(
    Diagnosis.shape.endpoints.element.extend({
      /** Of new connections from one client, 0 to 1; null where the model knows none. */
      share: z.number().nullable(),
    }),
  ),
  /** The model behind the shares, in words: always to be shown with them. */
  model: z.string(),
});
export type ServicePath = z.infer<typeof ServicePath>;

/** `POST /api/nodes/{name}/power` (sandbox only). */
export const PowerBody = z.strictObject({ power: z.enum(["on", "off"]) });

/** One entry of the edge's neighbour table (sandbox only): `GET /api/nodes/neighbours` answers an array of these. */
export const Neighbour = z.object({
  address: z.string(),
  mac: z.string().nullable(),
  state: z.string(),
  updatedAt: z.union([z.number(), z.string()]),
});
export type Neighbour = z.infer<typeof Neighbour>;

/** What `POST /api/pools/preview` asks: the pool as it would be, or `remove: true`. */
export const PoolPreviewBody = z.strictObject({
  name: Name,
  remove: z.boolean().default(false),
  addresses: z.array(z.string().trim()).default([]),
  autoAssign: PoolFields.autoAssign.optional(),
  avoidBuggyIPs: PoolFields.avoidBuggyIPs.optional(),
  priority: PoolFields.priority.optional(),
  namespaces: PoolFields.namespaces.optional(),
  namespaceSelectors: PoolFields.namespaceSelectors.optional(),
  serviceSelectors: PoolFields.serviceSelectors.optional(),
});
export type PoolPreviewBody = z.infer<typeof PoolPreviewBody>;
export type PoolPreviewInput = z.input<typeof PoolPreviewBody>;
export const PoolPreview = z.object({
  /** Problems of the pool as it would be; an error means that it would be refused. `field` as in the body: "addresses.0". */
  findings: z.array(Finding),
  ipv4: FamilyUse.nullable(),
  ipv6: FamilyUse.nullable(),
  services: z.array(
    z.object({
      service: z.string(),
      addresses: z.array(z.string()),
      /** `keeps` its address, `loses` it (gets another or waits), `gains` one (was waiting), `waits` on. */
      effect: z.enum(["keeps", "loses", "gains", "waits"]),
      sentence: z.string(),
    }),
  ),
});
export type PoolPreview = z.infer<typeof PoolPreview>;
