/**
 * The custom resources, each defined once: types, route checks, forms and the
 * CRD YAML of deploy/crds derive from these schemas (fields, defaults and
 * texts as upstream, metallb.md section 1). Semantic rules (ranges, overlaps)
 * live in core; the schemas hold shape only, as an API server would.
 */
import { z } from "zod";
import { Condition, KubeObject, LabelSelector } from "./kubernetes/objects.ts";

export const ServiceAllocation = z.looseObject({
  priority: z
    .int()
    .min(-2147483648)
    .max(2147483647)
    .optional()
    .describe("Priority priority given for ip pool while ip allocation on a service."),
  namespaces: z
    .array(z.string())
    .optional()
    .describe("Namespaces list of namespace(s) on which ip pool can be attached."),
  namespaceSelectors: z
    .array(LabelSelector)
    .optional()
    .describe(
      "NamespaceSelectors list of label selectors to select namespace(s) for ip pool,\nan alternative to using namespace list.",
    ),
  serviceSelectors: z
    .array(LabelSelector)
    .optional()
    .describe(
      "ServiceSelectors list of label selector to select service(s) for which ip pool\ncan be used for ip allocation.",
    ),
});
export type ServiceAllocation = z.infer<typeof ServiceAllocation>;

export const IPAddressPoolSpec = z.looseObject({
  addresses: z
    .array(z.string())
    .describe(
      "A list of IP address ranges over which MetalLB has authority.\nYou can list multiple ranges in a single pool, they will all share the\nsame settings. Each range can be either a CIDR prefix, or an explicit\nstart-end range of IPs.",
    ),
  autoAssign: z
    .boolean()
    .default(true)
    .describe("AutoAssign flag used to prevent MetallB from automatic allocation\nfor a pool."),
  avoidBuggyIPs: z
    .boolean()
    .default(false)
    .describe("AvoidBuggyIPs prevents addresses ending with .0 and .255\nto be used by a pool."),
  serviceAllocation: ServiceAllocation.optional().describe(
    "AllocateTo makes ip pool allocation to specific namespace and/or service.\nThe controller will use the pool with lowest value of priority in case of\nmultiple matches. A pool with no priority set will be used only if the\npools with priority can't be used. If multiple matching IPAddressPools are\navailable it will check for the availability of IPs sorting the matching\nIPAddressPools by priority, starting from the highest to the lowest. If\nmultiple IPAddressPools have the same priority, choice will be random.",
  ),
});
export type IPAddressPoolSpec = z.infer<typeof IPAddressPoolSpec>;

const Count = z.number().describe("A number of addresses (int64).");
export const IPAddressPoolStatus = z.looseObject({
  assignedIPv4: Count,
  assignedIPv6: Count,
  availableIPv4: Count,
  availableIPv6: Count,
});
export type IPAddressPoolStatus = z.infer<typeof IPAddressPoolStatus>;

export const IPAddressPool = KubeObject.extend({
  spec: IPAddressPoolSpec,
  status: IPAddressPoolStatus.partial().optional(),
});
export type IPAddressPool = z.infer<typeof IPAddressPool>;

const PreferredNodeSelector = z.looseObject({ weight: z.int().min(1).max(100), preference: LabelSelector });

export const L2AdvertisementSpec = z.looseObject({
  ipAddressPools: z
    .array(z.string())
    .optional()
    .describe("The list of IPAddressPools to advertise via this advertisement, selected by name."),
  ipAddressPoolSelectors: z
    .array(LabelSelector)
    .optional()
    .describe(
      "A selector for the IPAddressPools which would get advertised via this advertisement.\nIf no IPAddressPool is selected by this or by the list, the advertisement is applied to all the IPAddressPools.",
    ),
  nodeSelectors: z
    .array(LabelSelector)
    .optional()
    .describe(
      "NodeSelectors allows to limit the nodes to announce as next hops for the LoadBalancer IP. When empty, all the nodes having  are announced as next hops.",
    ),
  interfaces: z
    .array(z.string())
    .optional()
    .describe(
      "A list of interfaces to announce from. The LB IP will be announced only from these interfaces.\nIf the field is not set, we advertise from all the interfaces on the host.",
    ),
  serviceSelectors: z
    .array(LabelSelector)
    .optional()
    .describe("Limits the set of services that will be advertised by this advertisement."),
  preferredNodeSelectors: z
    .array(PreferredNodeSelector)
    .optional()
    .describe("Prefers the matching nodes for announcing, by weight."),
});
export type L2AdvertisementSpec = z.infer<typeof L2AdvertisementSpec>;
export const L2Advertisement = KubeObject.extend({ spec: L2AdvertisementSpec.optional() });
export type L2Advertisement = z.infer<typeof L2Advertisement>;

export const ServiceL2StatusStatus = z.looseObject({
  node: z.string().optional(),
  serviceName: z.string().optional(),
  serviceNamespace: z.string().optional(),
  interfaces: z.array(z.looseObject({ name: z.string().optional() })).optional(),
});
export const ServiceL2Status = KubeObject.extend({
  spec: z.looseObject({}).optional(),
  status: ServiceL2StatusStatus.optional(),
});
export type ServiceL2Status = z.infer<typeof ServiceL2Status>;

export const ConfigurationStateStatus = z.looseObject({
  result: z.enum(["Valid", "Invalid", "Unknown"]).optional(),
  errorSummary: z.string().optional(),
  conditions: z.array(Condition).optional(),
});
export const ConfigurationState = KubeObject.extend({
  spec: z.looseObject({}).optional(),
  status: ConfigurationStateStatus.optional(),
});
export type ConfigurationState = z.infer<typeof ConfigurationState>;

/** One answer seen on the wire to "who has `address`?". */
const WireAnswer = z.looseObject({
  mac: z.string(),
  interface: z.string().optional(),
  /** Milliseconds from question to answer; absent when this speaker itself announces and answers. */
  rttMs: z.number().optional(),
  self: z.boolean().optional(),
});
export const WireObservation = z.looseObject({
  address: z.string(),
  askedAt: z.string(),
  answers: z.array(WireAnswer),
});
export type WireObservation = z.infer<typeof WireObservation>;

/** Something that is wrong with an address on the wire (`WireFinding` of core): who says to have it, and which node that is. */
const WireFindingReport = z.looseObject({
  address: z.string(),
  kind: z.string(),
  claimants: z.array(z.looseObject({ mac: z.string(), node: z.string().optional() })),
  /** One sentence without full stop. */
  message: z.string(),
  since: z.string(),
});

/** What one speaker knows, one object per node (group berth.dev, written only by that node's speaker). */
export const SpeakerStateStatus = z.looseObject({
  node: z.string().optional(),
  pod: z.string().optional(),
  version: z.string().optional(),
  startedAt: z.string().optional(),
  heartbeatAt: z.string().optional(),
  ready: z.boolean().optional(),
  memoryBytes: z.number().optional(),
  /** `skipped`: why nothing is announced there, whatever its state (LinkSkip); absent for the others. */
  interfaces: z
    .array(z.looseObject({ name: z.string(), mac: z.string(), up: z.boolean(), skipped: z.string().optional() }))
    .optional(),
  /** `suspected`: alive still, but silent, and others are being asked. */
  members: z
    .array(
      z.looseObject({
        node: z.string(),
        alive: z.boolean(),
        ready: z.boolean(),
        suspected: z.boolean().optional(),
        lastSeenMs: z.number().optional(),
      }),
    )
    .optional(),
  announcing: z
    .array(
      z.looseObject({ address: z.string(), service: z.string(), interfaces: z.array(z.string()), since: z.string() }),
    )
    .optional(),
  /** Services with an address that this node does not announce, and why (AnnounceReason). At most 200. */
  notAnnouncing: z.array(z.looseObject({ service: z.string(), reason: z.string() })).optional(),
  wire: z.array(WireObservation).optional(),
  /** What its watch over the wire found wrong, as long as it is. At most 32. */
  findings: z.array(WireFindingReport).optional(),
  /** Nonce of the last answered `berth.dev/who-has` annotation. */
  answeredWhoHas: z.string().optional(),
});
export type SpeakerStateStatus = z.infer<typeof SpeakerStateStatus>;
export const SpeakerState = KubeObject.extend({
  spec: z.looseObject({}).optional(),
  status: SpeakerStateStatus.optional(),
});
export type SpeakerState = z.infer<typeof SpeakerState>;
