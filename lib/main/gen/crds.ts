import { AddressHoldSpec, AddressHoldStatus } from "#api/holds";
import {
  ConfigurationStateStatus,
  IPAddressPoolSpec,
  IPAddressPoolStatus,
  L2AdvertisementSpec,
  ServiceL2StatusStatus,
  SpeakerStateStatus,
} from "#api/metallb";
import {
  ADDRESS_HOLDS,
  CONFIGURATION_STATES,
  IP_ADDRESS_POOLS,
  L2_ADVERTISEMENTS,
  SERVICE_L2_STATUSES,
  SPEAKER_STATES,
} from "#api/resources";
import { BGP_DEFINITIONS } from "./bgp-definitions.ts";
import { OBJECT_PROPERTIES } from "./common-schemas.ts";
import { type Definition, IMMUTABLE, type Part, type PrinterColumn } from "./definition.ts";
import { type Json, schemaOf } from "./structural.ts";

const count = (which: string, family: string): Json => ({
  description: `${which}${family} is the number of ${which.toLowerCase()} ${family} addresses.`,
  type: "integer",
  format: "int64",
});
const AGE: PrinterColumn = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };

const DEFINITIONS: readonly Definition[] = [
  {
    resource: IP_ADDRESS_POOLS,
    description: "IPAddressPool represents a pool of IP addresses that can be allocated\nto LoadBalancer services.",
    columns: [
      { name: "Auto Assign", type: "boolean", jsonPath: ".spec.autoAssign" },
      { name: "Avoid Buggy IPs", type: "boolean", jsonPath: ".spec.avoidBuggyIPs" },
      { name: "Addresses", type: "string", jsonPath: ".spec.addresses" },
    ],
    spec: {
      type: IPAddressPoolSpec,
      description: "IPAddressPoolSpec defines the desired state of IPAddressPool.",
      required: true,
    },
    status: {
      type: IPAddressPoolStatus,
      description: "IPAddressPoolStatus defines the observed state of IPAddressPool.",
      amend: {
        assignedIPv4: count("Assigned", "IPv4"),
        assignedIPv6: count("Assigned", "IPv6"),
        availableIPv4: count("Available", "IPv4"),
        availableIPv6: count("Available", "IPv6"),
      },
    },
  },
  {
    resource: L2_ADVERTISEMENTS,
    description: "L2Advertisement allows to advertise the LoadBalancer IPs provided\nby the selected pools via L2.",
    columns: [
      { name: "IPAddressPools", type: "string", jsonPath: ".spec.ipAddressPools" },
      { name: "IPAddressPool Selectors", type: "string", jsonPath: ".spec.ipAddressPoolSelectors" },
      { name: "Interfaces", type: "string", jsonPath: ".spec.interfaces" },
      { name: "Node Selectors", type: "string", jsonPath: ".spec.nodeSelectors", priority: 10 },
    ],
    spec: {
      type: L2AdvertisementSpec,
      description: "L2AdvertisementSpec defines the desired state of L2Advertisement.",
    },
    status: null,
  },
  {
    resource: SERVICE_L2_STATUSES,
    description: "ServiceL2Status reveals the actual traffic status of loadbalancer services in layer2 mode.",
    columns: [
      { name: "Allocated Node", type: "string", jsonPath: ".status.node" },
      { name: "Service Name", type: "string", jsonPath: ".status.serviceName" },
      { name: "Service Namespace", type: "string", jsonPath: ".status.serviceNamespace" },
    ],
    spec: null,
    status: {
      type: ServiceL2StatusStatus,
      description: "MetalLBServiceL2Status defines the observed state of ServiceL2Status.",
      amend: { node: IMMUTABLE, serviceName: IMMUTABLE, serviceNamespace: IMMUTABLE },
    },
  },
  {
    resource: CONFIGURATION_STATES,
    description:
      'ConfigurationState is a status-only CRD that reports configuration validation results from MetalLB components.\nLabels:\n  - metallb.io/component-type: "controller" or "speaker"\n  - metallb.io/node-name: node name (only for speaker)',
    columns: [
      { name: "Result", type: "string", jsonPath: ".status.result" },
      { name: "ErrorSummary", type: "string", jsonPath: ".status.errorSummary" },
      AGE,
    ],
    spec: null,
    status: {
      type: ConfigurationStateStatus,
      description: "ConfigurationStateStatus defines the observed state of ConfigurationState.",
      amend: { conditions: { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] } },
    },
  },
  {
    resource: SPEAKER_STATES,
    description:
      "SpeakerState is what the speaker of one node knows: interfaces, members, what it announces and why not, and who\nanswers on the wire. Written by that speaker only.",
    columns: [
      { name: "Node", type: "string", jsonPath: ".status.node" },
      { name: "Ready", type: "boolean", jsonPath: ".status.ready" },
      { name: "Announcing", type: "string", jsonPath: ".status.announcing[*].address" },
      AGE,
    ],
    spec: null,
    status: {
      type: SpeakerStateStatus,
      description: "SpeakerStateStatus defines the observed state of the speaker.",
      amend: { memoryBytes: { type: "integer", format: "int64" } },
    },
  },
  {
    resource: ADDRESS_HOLDS,
    description:
      "AddressHold keeps addresses from being given out: reserved by a person, or set aside by a speaker that heard\nanother machine answer for them. What a Service has already, it keeps.",
    columns: [
      { name: "Addresses", type: "string", jsonPath: ".spec.addresses" },
      { name: "Reason", type: "string", jsonPath: ".spec.reason" },
      { name: "State", type: "string", jsonPath: ".status.state" },
      { name: "Expires", type: "string", jsonPath: ".spec.expiry" },
      { name: "Note", type: "string", jsonPath: ".spec.note" },
      { name: "MAC", type: "string", jsonPath: ".spec.mac", priority: 10 },
      { name: "Node", type: "string", jsonPath: ".spec.node", priority: 10 },
      AGE,
    ],
    spec: {
      type: AddressHoldSpec,
      description: "AddressHoldSpec defines the addresses that are held.",
      required: true,
      amend: { expiry: { format: "date-time" } },
    },
    status: { type: AddressHoldStatus, description: "AddressHoldStatus defines the observed state of AddressHold." },
  },
  ...BGP_DEFINITIONS,
];

/** File name and content of every CustomResourceDefinition. */
export function customResourceDefinitions(): readonly { readonly file: string; readonly crd: Json }[] {
  return DEFINITIONS.map((definition) => {
    const { group, plural } = definition.resource;
    return { file: `${group}_${plural}.yaml`, crd: definitionOf(definition) };
  });
}

function definitionOf(definition: Definition): Json {
  const { group, plural, kind, version, namespaced } = definition.resource;
  const older = (definition.older ?? []).map(({ version: name, deprecationWarning, spec }) => ({
    ...versionOf({ ...definition, spec }, name, false),
    deprecated: true,
    deprecationWarning,
  }));
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      scope: namespaced ? "Namespaced" : "Cluster",
      versions: [...older, versionOf(definition, version, true)],
    },
  };
}

function versionOf({ resource, description, columns, spec, status }: Definition, name: string, storage: boolean): Json {
  const { kind } = resource;
  const schema = {
    description,
    type: "object",
    properties: {
      ...OBJECT_PROPERTIES,
      spec: spec === null ? emptyPart(`${kind}Spec defines the desired state of ${kind}.`) : partOf(spec),
      status: status === null ? emptyPart(`${kind}Status defines the observed state of ${kind}.`) : partOf(status),
    },
    ...(spec?.required === true && { required: ["spec"] }),
  };
  return {
    ...(columns.length > 0 && {
      additionalPrinterColumns: columns.map(({ jsonPath, name: column, priority, type }) => ({
        jsonPath,
        name: column,
        ...(priority !== undefined && { priority }),
        type,
      })),
    }),
    name,
    schema: { openAPIV3Schema: schema },
    served: true,
    storage,
    subresources: { status: {} },
  };
}

const emptyPart = (description: string): Json => ({ description, type: "object" });

function partOf({ type, description, amend = {}, rules }: Part): Json {
  const schema = schemaOf(type);
  const properties = (schema.properties ?? {}) as Record<string, Json>;
  const amended = Object.entries(amend).map(([name, more]) => [name, { ...properties[name], ...more }]);
  return {
    ...schema,
    description,
    properties: { ...properties, ...Object.fromEntries(amended) },
    ...(rules !== undefined && { "x-kubernetes-validations": rules }),
  };
}
