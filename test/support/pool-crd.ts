import type { Json } from "#sandbox/kinds/definition";

/** A definition with a status, defaults and printer columns, shaped like the one of IPAddressPool. */
export const POOL_CRD: Json = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "ipaddresspools.metallb.io" },
  spec: {
    group: "metallb.io",
    names: {
      kind: "IPAddressPool",
      listKind: "IPAddressPoolList",
      plural: "ipaddresspools",
      singular: "ipaddresspool",
    },
    scope: "Namespaced",
    versions: [
      {
        name: "v1beta1",
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          { name: "Auto Assign", type: "boolean", jsonPath: ".spec.autoAssign" },
          { name: "Avoid Buggy IPs", type: "boolean", jsonPath: ".spec.avoidBuggyIPs" },
          { name: "Addresses", type: "string", jsonPath: ".spec.addresses" },
        ],
        schema: {
          openAPIV3Schema: {
            type: "object",
            description:
              "IPAddressPool represents a pool of IP addresses that can be allocated\nto LoadBalancer services.",
            required: ["spec"],
            properties: {
              apiVersion: { type: "string" },
              kind: { type: "string" },
              metadata: { type: "object" },
              spec: {
                type: "object",
                description: "IPAddressPoolSpec defines the desired state of IPAddressPool.",
                required: ["addresses"],
                properties: {
                  addresses: { type: "array", items: { type: "string" }, description: "A list of ranges." },
                  autoAssign: { type: "boolean", default: true },
                  avoidBuggyIPs: { type: "boolean", default: false },
                  serviceAllocation: {
                    type: "object",
                    properties: {
                      priority: { type: "integer" },
                      namespaces: { type: "array", items: { type: "string" } },
                      namespaceSelectors: {
                        type: "array",
                        items: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
                      },
                    },
                  },
                },
              },
              status: {
                type: "object",
                properties: { assignedIPv4: { type: "integer", format: "int64" }, availableIPv4: { type: "integer" } },
              },
            },
          },
        },
      },
    ],
  },
};

export function pool(name: string, addresses: readonly string[], spec: Json = {}): Json {
  return {
    apiVersion: "metallb.io/v1beta1",
    kind: "IPAddressPool",
    metadata: { name, namespace: "default" },
    spec: { addresses: [...addresses], ...spec },
  };
}
