/**
 * The BGP kinds of metallb.io (metallb.md 1.3 to 1.6): fields, defaults and ranges as upstream's schemas. What the
 * fields mean together is the compiler's (core/configuration.ts); who speaks BGP comes later.
 */
import { z } from "zod";
import { KubeObject, LabelSelector } from "./kubernetes/objects.ts";

/** Go's notation ("90s", "1m30s"). */
const Duration = z.string();

/** An unsigned number of 32 bits, as AS numbers are. */
const Uint32 = z.int().min(0).max(4294967295);

export const BGPAdvertisementSpec = z.looseObject({
  aggregationLength: z
    .int()
    .min(1)
    .default(32)
    .describe("Length of the IPv4 prefix that is announced: below 32, addresses are summed up in a wider prefix."),
  aggregationLengthV6: z
    .int()
    .default(128)
    .describe("Length of the IPv6 prefix that is announced: below 128, addresses are summed up in a wider prefix."),
  localPref: Uint32.optional().describe(
    "The LOCAL_PREF attribute: of several paths the one with the highest wins. Only iBGP peers see it.",
  ),
  communities: z
    .array(z.string())
    .optional()
    .describe(
      "Communities of the announcement: 1234:1234, a large one as large:1234:1234:1234, or the name of an alias that a Community object defines.",
    ),
  ipAddressPools: z.array(z.string()).optional().describe("The IPAddressPools to advertise, by name."),
  ipAddressPoolSelectors: z
    .array(LabelSelector)
    .optional()
    .describe("The IPAddressPools to advertise, by label. With neither names nor selectors all pools are advertised."),
  nodeSelectors: z.array(LabelSelector).optional().describe("The nodes that announce as next hops; all when empty."),
  peers: z.array(z.string()).optional().describe("The BGPPeers to announce to, by name; all when empty."),
  serviceSelectors: z
    .array(LabelSelector)
    .optional()
    .describe("Limits the advertisement to these Services. Only without aggregation (32 and 128)."),
});
export type BGPAdvertisementSpec = z.infer<typeof BGPAdvertisementSpec>;
export const BGPAdvertisement = KubeObject.extend({ spec: BGPAdvertisementSpec.partial().optional() });
export type BGPAdvertisement = z.infer<typeof BGPAdvertisement>;

/** A Secret of type kubernetes.io/basic-auth in Berth's namespace, key `password`. */
const SecretReference = z.looseObject({
  name: z.string().optional().describe("Name of the Secret."),
  namespace: z.string().optional().describe("Namespace of the Secret: that of the load balancer."),
});

const peerAsn = (words: string) => Uint32.describe(words);

export const BGPPeerSpec = z.looseObject({
  myASN: peerAsn("AS number of the local end of the session."),
  peerASN: peerAsn("AS number expected of the remote end. Either this or dynamicASN.").optional(),
  dynamicASN: z
    .enum(["internal", "external"])
    .optional()
    .describe(
      "Takes the remote end's AS number as it comes: internal accepts only one equal to myASN, external only another. Either this or peerASN.",
    ),
  localASN: Uint32.min(1).optional().describe("AS number shown to this peer instead of myASN."),
  peerAddress: z.string().optional().describe("Address of the peer. Either this or interface."),
  interface: z
    .string()
    .optional()
    .describe("Interface of the node over which an unnumbered session is made. Either this or peerAddress."),
  sourceAddress: z.string().optional().describe("Local address of the session."),
  peerPort: z.int().min(1).max(16384).default(179).describe("Port of the peer."),
  holdTime: Duration.optional().describe("Hold time to ask for (RFC 4271)."),
  keepaliveTime: Duration.optional().describe("Keepalive time to ask for (RFC 4271)."),
  connectTime: Duration.optional().describe("How long to wait between attempts to connect."),
  routerID: z.string().optional().describe("Router ID to show to the peer."),
  nodeSelectors: z.array(LabelSelector).optional().describe("The nodes that open the session; all when empty."),
  password: z.string().optional().describe("Password of the session (TCP MD5)."),
  passwordSecret: SecretReference.optional().describe(
    'Secret with the password of the session: of type "kubernetes.io/basic-auth", in the namespace of the load balancer, key "password".',
  ),
  bfdProfile: z
    .string()
    .optional()
    .describe("BFDProfile of the BFD session beside this one; without it there is none."),
  enableGracefulRestart: z
    .boolean()
    .optional()
    .describe("The peer keeps forwarding while the session restarts. Cannot be changed: it takes a new session."),
  ebgpMultiHop: z.boolean().optional().describe("The peer is more than one hop away."),
  vrf: z.string().optional().describe("VRF of the host in which the session is made."),
  disableMP: z
    .boolean()
    .default(false)
    .describe("Separate sessions per family.\nDeprecated: use dualStackAddressFamily."),
  dualStackAddressFamily: z
    .boolean()
    .default(false)
    .describe("Both families are exchanged on this session, not only that of its addresses."),
});
export type BGPPeerSpec = z.infer<typeof BGPPeerSpec>;
export const BGPPeer = KubeObject.extend({ spec: BGPPeerSpec.partial().optional() });
export type BGPPeer = z.infer<typeof BGPPeer>;

/** The node selector of v1beta1 only. */
const OldNodeSelector = z.looseObject({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z
    .array(z.looseObject({ key: z.string(), operator: z.string(), values: z.array(z.string()).min(1) }))
    .optional(),
});

/** v1beta1, deprecated: what it has in common with v1beta2. */
export const BGPPeerSpecV1Beta1 = z.looseObject({
  myASN: peerAsn("AS number of the local end of the session."),
  peerASN: peerAsn("AS number expected of the remote end."),
  peerAddress: z.string().describe("Address of the peer."),
  sourceAddress: z.string().optional().describe("Local address of the session."),
  peerPort: z.int().min(0).max(16384).optional().describe("Port of the peer."),
  holdTime: Duration.optional().describe("Hold time to ask for (RFC 4271)."),
  keepaliveTime: Duration.optional().describe("Keepalive time to ask for (RFC 4271)."),
  routerID: z.string().optional().describe("Router ID to show to the peer."),
  nodeSelectors: z.array(OldNodeSelector).optional().describe("The nodes that open the session; all when empty."),
  password: z.string().optional().describe("Password of the session (TCP MD5)."),
  bfdProfile: z.string().optional(),
  ebgpMultiHop: z.boolean().optional().describe("The peer is more than one hop away."),
});

export const CommunitySpec = z.looseObject({
  communities: z
    .array(
      z.looseObject({
        name: z.string().optional().describe("The alias."),
        value: z.string().optional().describe("What it stands for: 1234:1234 or large:1234:1234:1234."),
      }),
    )
    .optional(),
});
export type CommunitySpec = z.infer<typeof CommunitySpec>;
export const Community = KubeObject.extend({ spec: CommunitySpec.optional() });
export type Community = z.infer<typeof Community>;

const Milliseconds = z.int().min(10).max(60000).optional();

export const BFDProfileSpec = z.looseObject({
  receiveInterval: Milliseconds.describe("Shortest interval in ms at which control packets can be received (300)."),
  transmitInterval: Milliseconds.describe("Shortest interval in ms at which control packets are sent (300)."),
  echoInterval: Milliseconds.describe("Shortest interval in ms at which echo packets can be handled (50)."),
  detectMultiplier: z
    .int()
    .min(2)
    .max(255)
    .optional()
    .describe("The session is lost after this many of the remote end's intervals without a packet (3)."),
  echoMode: z.boolean().optional().describe("Sends echo packets. Not on sessions over several hops, and not for IPv6."),
  passiveMode: z.boolean().optional().describe("Waits for the peer's packets before it begins to send."),
  minimumTtl: z
    .int()
    .min(1)
    .max(254)
    .optional()
    .describe("Sessions over several hops: lowest TTL of a control packet that is taken in."),
});
export type BFDProfileSpec = z.infer<typeof BFDProfileSpec>;
export const BFDProfile = KubeObject.extend({ spec: BFDProfileSpec.optional() });
export type BFDProfile = z.infer<typeof BFDProfile>;

/** Written by speakers: to which peers a node means to announce a Service. Not whether the sessions are up. */
export const ServiceBGPStatusStatus = z.looseObject({
  node: z.string().optional().describe("The node that announces."),
  serviceName: z.string().optional().describe("The Service's name."),
  serviceNamespace: z.string().optional().describe("The Service's namespace."),
  peers: z
    .array(z.string())
    .optional()
    .describe("The BGPPeers to which the Service is to be announced. Their sessions may be down all the same."),
});
export const ServiceBGPStatus = KubeObject.extend({
  spec: z.looseObject({}).optional(),
  status: ServiceBGPStatusStatus.optional(),
});
export type ServiceBGPStatus = z.infer<typeof ServiceBGPStatus>;
