import {
  BFDProfileSpec,
  BGPAdvertisementSpec,
  BGPPeerSpec,
  BGPPeerSpecV1Beta1,
  CommunitySpec,
  ServiceBGPStatusStatus,
} from "#api/metallb-bgp";
import { BFD_PROFILES, BGP_ADVERTISEMENTS, BGP_PEERS, COMMUNITIES, SERVICE_BGP_STATUSES } from "#api/resources";
import { type Definition, IMMUTABLE } from "./definition.ts";
import type { Json } from "./structural.ts";

const INT32: Json = { format: "int32" };
// Not int32, as controller-gen makes of Go's uint32: Kubernetes 1.36 refuses every object then (metallb issue 3034).
const UINT32: Json = { format: "int64", minimum: 0, maximum: 4294967295 };

/** The BGP kinds of metallb.io, with upstream's columns, formats and rules. */
export const BGP_DEFINITIONS: readonly Definition[] = [
  {
    resource: BGP_ADVERTISEMENTS,
    description: "BGPAdvertisement announces the addresses of pools to BGP peers, and says how.",
    columns: [
      { name: "IPAddressPools", type: "string", jsonPath: ".spec.ipAddressPools" },
      { name: "IPAddressPool Selectors", type: "string", jsonPath: ".spec.ipAddressPoolSelectors" },
      { name: "Peers", type: "string", jsonPath: ".spec.peers" },
      { name: "Node Selectors", type: "string", jsonPath: ".spec.nodeSelectors", priority: 10 },
    ],
    spec: {
      type: BGPAdvertisementSpec,
      description: "BGPAdvertisementSpec defines the desired state of BGPAdvertisement.",
      amend: { aggregationLength: INT32, aggregationLengthV6: INT32, localPref: UINT32 },
      rules: [
        {
          message: "serviceSelectors can only be used with aggregationLength 32 and aggregationLengthV6 128",
          rule: "!has(self.serviceSelectors) || self.serviceSelectors.size() == 0 || ((!has(self.aggregationLength) || self.aggregationLength == 32) && (!has(self.aggregationLengthV6) || self.aggregationLengthV6 == 128))",
        },
      ],
    },
    status: null,
  },
  {
    resource: BGP_PEERS,
    description: "BGPPeer is a router that nodes open BGP sessions to.",
    columns: [
      { name: "Address", type: "string", jsonPath: ".spec.peerAddress" },
      { name: "ASN", type: "string", jsonPath: ".spec.peerASN" },
      { name: "BFD Profile", type: "string", jsonPath: ".spec.bfdProfile" },
      { name: "Multi Hops", type: "string", jsonPath: ".spec.ebgpMultiHop" },
    ],
    spec: {
      type: BGPPeerSpec,
      description: "BGPPeerSpec defines the desired state of Peer.",
      amend: {
        myASN: UINT32,
        peerASN: UINT32,
        localASN: { ...UINT32, minimum: 1 },
        passwordSecret: { "x-kubernetes-map-type": "atomic" },
        connectTime: {
          "x-kubernetes-validations": [
            {
              message: "connect time should be between 1 seconds to 65535",
              rule: "duration(self).getSeconds() >= 1 && duration(self).getSeconds() <= 65535",
            },
            {
              message: "connect time should contain a whole number of seconds",
              rule: "duration(self).getMilliseconds() % 1000 == 0",
            },
          ],
        },
        enableGracefulRestart: {
          "x-kubernetes-validations": [
            { message: "EnableGracefulRestart cannot be changed after creation", rule: "self == oldSelf" },
          ],
        },
      },
    },
    status: null,
    older: [
      {
        version: "v1beta1",
        deprecationWarning: "v1beta1 is deprecated, please use v1beta2",
        spec: {
          type: BGPPeerSpecV1Beta1,
          description: "BGPPeerSpec defines the desired state of Peer.",
          amend: { myASN: UINT32, peerASN: UINT32 },
        },
      },
    ],
  },
  {
    resource: COMMUNITIES,
    description: "Community is a collection of aliases for BGP communities, which BGPAdvertisements use by name.",
    columns: [],
    spec: { type: CommunitySpec, description: "CommunitySpec defines the desired state of Community." },
    status: null,
  },
  {
    resource: BFD_PROFILES,
    description: "BFDProfile is a set of timings for the BFD session beside a BGP session.",
    columns: [
      { name: "Passive Mode", type: "boolean", jsonPath: ".spec.passiveMode" },
      { name: "Transmit Interval", type: "integer", jsonPath: ".spec.transmitInterval" },
      { name: "Receive Interval", type: "integer", jsonPath: ".spec.receiveInterval" },
      { name: "Multiplier", type: "integer", jsonPath: ".spec.detectMultiplier" },
    ],
    spec: {
      type: BFDProfileSpec,
      description: "BFDProfileSpec defines the desired state of BFDProfile.",
      amend: {
        receiveInterval: INT32,
        transmitInterval: INT32,
        echoInterval: INT32,
        detectMultiplier: INT32,
        minimumTtl: INT32,
      },
    },
    status: null,
  },
  {
    resource: SERVICE_BGP_STATUSES,
    description: "ServiceBGPStatus names the peers to which a node means to announce a Service.",
    columns: [
      { name: "Node", type: "string", jsonPath: ".status.node" },
      { name: "Service Name", type: "string", jsonPath: ".status.serviceName" },
      { name: "Service Namespace", type: "string", jsonPath: ".status.serviceNamespace" },
    ],
    spec: null,
    status: {
      type: ServiceBGPStatusStatus,
      description: "MetalLBServiceBGPStatus defines the observed state of ServiceBGPStatus.",
      amend: { node: IMMUTABLE, serviceName: IMMUTABLE, serviceNamespace: IMMUTABLE },
    },
  },
];
