import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { schemaOf } from "../../lib/main/gen/structural.ts";
import { generatedFiles, staleFiles } from "../../lib/main/gen.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const crds = new Map(
  [...generatedFiles().values()].map((text) => {
    const crd = parse(text);
    return [crd.spec.names.kind as string, crd];
  }),
);
// The stored version; a served older one comes before it.
const versionOf = (kind: string) => crds.get(kind)?.spec.versions.find((one: { storage: boolean }) => one.storage);
const propertiesOf = (kind: string) => versionOf(kind).schema.openAPIV3Schema.properties;

describe("the generated definitions", () => {
  it("are what deploy/crds holds: run npm run gen", () => {
    expect(staleFiles(root)).toEqual([]);
  });

  it.each([
    ["IPAddressPool", ["Auto Assign", "Avoid Buggy IPs", "Addresses"]],
    ["L2Advertisement", ["IPAddressPools", "IPAddressPool Selectors", "Interfaces", "Node Selectors"]],
    ["ServiceL2Status", ["Allocated Node", "Service Name", "Service Namespace"]],
    ["ConfigurationState", ["Result", "ErrorSummary", "Age"]],
    ["SpeakerState", ["Node", "Ready", "Announcing", "Age"]],
    ["BGPAdvertisement", ["IPAddressPools", "IPAddressPool Selectors", "Peers", "Node Selectors"]],
    ["BGPPeer", ["Address", "ASN", "BFD Profile", "Multi Hops"]],
    ["BFDProfile", ["Passive Mode", "Transmit Interval", "Receive Interval", "Multiplier"]],
    ["ServiceBGPStatus", ["Node", "Service Name", "Service Namespace"]],
  ])("print %s with the columns %j", (kind, columns) => {
    expect(versionOf(kind).additionalPrinterColumns.map((column: { name: string }) => column.name)).toEqual(columns);
    expect(versionOf(kind).subresources).toEqual({ status: {} });
    expect(crds.get(kind)?.spec.scope).toBe("Namespaced");
  });

  it("default a pool to automatic assignment of every address, and want its ranges", () => {
    const { spec } = propertiesOf("IPAddressPool");
    expect(spec.properties.autoAssign.default).toBe(true);
    expect(spec.properties.avoidBuggyIPs.default).toBe(false);
    expect(spec.required).toEqual(["addresses"]);
    expect(spec.properties.serviceAllocation.properties.priority).toEqual({
      description: expect.any(String),
      type: "integer",
    });
  });

  it("count addresses in int64 and want all four counters", () => {
    const { status } = propertiesOf("IPAddressPool");
    expect(status.required).toEqual(["assignedIPv4", "assignedIPv6", "availableIPv4", "availableIPv6"]);
    expect(status.properties.availableIPv6).toMatchObject({ type: "integer", format: "int64" });
  });

  it("freeze what a ServiceL2Status once said", () => {
    const { node } = propertiesOf("ServiceL2Status").status.properties;
    expect(node["x-kubernetes-validations"]).toEqual([{ message: "Value is immutable", rule: "self == oldSelf" }]);
  });

  it("weigh preferred nodes from 1 to 100", () => {
    const items = propertiesOf("L2Advertisement").spec.properties.preferredNodeSelectors.items;
    expect(items.properties.weight).toMatchObject({ minimum: 1, maximum: 100, type: "integer" });
    expect(items.required).toEqual(["weight", "preference"]);
  });

  it("serve a BGPPeer as v1beta2, and as v1beta1 with a warning", () => {
    const { versions } = crds.get("BGPPeer")?.spec ?? {};
    expect(versions.map(({ name, served, storage }: Record<string, unknown>) => [name, served, storage])).toEqual([
      ["v1beta1", true, false],
      ["v1beta2", true, true],
    ]);
    expect(versions[0]).toMatchObject({
      deprecated: true,
      deprecationWarning: "v1beta1 is deprecated, please use v1beta2",
    });
    const old = versions[0].schema.openAPIV3Schema.properties.spec;
    expect(old.required).toEqual(["myASN", "peerASN", "peerAddress"]);
    expect(old.properties.peerPort).toMatchObject({ minimum: 0, maximum: 16384 });
    expect(old.properties.nodeSelectors.items.properties.matchExpressions.items.properties.values.minItems).toBe(1);
  });

  it("want of a peer only the own AS number, and take all 32 bits of it", () => {
    const { spec } = propertiesOf("BGPPeer");
    expect(spec.required).toEqual(["myASN"]);
    expect(spec.properties.myASN).toMatchObject({ type: "integer", format: "int64", minimum: 0, maximum: 4294967295 });
    expect(spec.properties.localASN).toMatchObject({ minimum: 1, maximum: 4294967295 });
    expect(spec.properties.peerPort).toMatchObject({ default: 179, minimum: 1, maximum: 16384 });
    expect(spec.properties.dynamicASN.enum).toEqual(["internal", "external"]);
    expect(spec.properties.disableMP.default).toBe(false);
    expect(spec.properties.dualStackAddressFamily.default).toBe(false);
  });

  it("hold the rules of a peer's connect time and graceful restart in upstream's words", () => {
    const { connectTime, enableGracefulRestart } = propertiesOf("BGPPeer").spec.properties;
    expect(connectTime["x-kubernetes-validations"].map(({ message }: { message: string }) => message)).toEqual([
      "connect time should be between 1 seconds to 65535",
      "connect time should contain a whole number of seconds",
    ]);
    expect(enableGracefulRestart["x-kubernetes-validations"]).toEqual([
      { message: "EnableGracefulRestart cannot be changed after creation", rule: "self == oldSelf" },
    ]);
  });

  it("announce single addresses by BGP unless told otherwise, and only then for selected Services", () => {
    const { spec } = propertiesOf("BGPAdvertisement");
    expect(spec.properties.aggregationLength).toMatchObject({ default: 32, minimum: 1, format: "int32" });
    expect(spec.properties.aggregationLengthV6).toMatchObject({ default: 128, format: "int32" });
    expect(spec["x-kubernetes-validations"][0].rule).toContain("self.aggregationLengthV6 == 128");
  });

  it("never bound a number of 32 bits beyond what its format holds, which Kubernetes 1.36 refuses", () => {
    const visit = (node: unknown): void => {
      if (typeof node !== "object" || node === null) return;
      if ("format" in node && node.format === "int32" && "maximum" in node) {
        expect(node.maximum).toBeLessThan(2 ** 31);
      }
      Object.values(node).forEach(visit);
    };
    for (const crd of crds.values()) visit(crd);
  });

  it("bound every timing of a BFD profile", () => {
    const { properties } = propertiesOf("BFDProfile").spec;
    for (const name of ["receiveInterval", "transmitInterval", "echoInterval"]) {
      expect(properties[name]).toMatchObject({ minimum: 10, maximum: 60000 });
    }
    expect(properties.detectMultiplier).toMatchObject({ minimum: 2, maximum: 255 });
    expect(properties.minimumTtl).toMatchObject({ minimum: 1, maximum: 254 });
  });

  it("freeze what a ServiceBGPStatus once said", () => {
    const { serviceName } = propertiesOf("ServiceBGPStatus").status.properties;
    expect(serviceName["x-kubernetes-validations"]).toEqual([
      { message: "Value is immutable", rule: "self == oldSelf" },
    ]);
  });

  it("contain nothing that an API server refuses in a structural schema", () => {
    const visit = (node: unknown, path: string): void => {
      if (typeof node !== "object" || node === null) return;
      for (const key of ["anyOf", "oneOf", "allOf", "not", "$ref", "$schema", "propertyNames"]) {
        expect(Object.keys(node), path).not.toContain(key);
      }
      if ("properties" in node) expect(Object.keys(node), path).not.toContain("additionalProperties");
      for (const [key, value] of Object.entries(node)) visit(value, `${path}.${key}`);
    };
    for (const [kind] of crds) {
      for (const { schema } of crds.get(kind)?.spec.versions ?? []) visit(schema.openAPIV3Schema, kind);
    }
  });
});

describe("a type that a CRD cannot express", () => {
  it("stops the generator with the place and what to do", () => {
    expect(() => schemaOf(z.object({ a: z.union([z.string(), z.number()]) }))).toThrow(
      /\$\.properties\.a: anyOf .* flatten the type/,
    );
  });
});
