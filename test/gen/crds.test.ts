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
const versionOf = (kind: string) => crds.get(kind)?.spec.versions[0];
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

  it("contain nothing that an API server refuses in a structural schema", () => {
    const visit = (node: unknown, path: string): void => {
      if (typeof node !== "object" || node === null) return;
      for (const key of ["anyOf", "oneOf", "allOf", "not", "$ref", "$schema", "propertyNames"]) {
        expect(Object.keys(node), path).not.toContain(key);
      }
      if ("properties" in node) expect(Object.keys(node), path).not.toContain("additionalProperties");
      for (const [key, value] of Object.entries(node)) visit(value, `${path}.${key}`);
    };
    for (const [kind] of crds) visit(versionOf(kind).schema.openAPIV3Schema, kind);
  });
});

describe("a type that a CRD cannot express", () => {
  it("stops the generator with the place and what to do", () => {
    expect(() => schemaOf(z.object({ a: z.union([z.string(), z.number()]) }))).toThrow(
      /\$\.properties\.a: anyOf .* flatten the type/,
    );
  });
});
