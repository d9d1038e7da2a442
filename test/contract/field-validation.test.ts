import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApiClient } from "../support/api-server.ts";
import { onBothApis } from "../support/both-apis.ts";
import { POOL_CRD } from "../support/pool-crd.ts";

onBothApis((start) => {
  const MAPS = "/api/v1/namespaces/default/configmaps";
  const SERVICES = "/api/v1/namespaces/default/services";
  const POOLS = "/apis/metallb.io/v1beta1/namespaces/default/ipaddresspools";

  let api: ApiClient;
  beforeAll(async () => {
    api = await start();
    await api.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", POOL_CRD);
    await api.send("POST", SERVICES, { metadata: { name: "there" }, spec: { ports: [{ port: 80 }] } });
  });
  afterAll(() => api.close());

  const SERVICE = (spec: string, metadata = '"name":"x"') => `{"metadata":{${metadata}},"spec":${spec}}`;
  const YAML = { type: "application/yaml" };

  interface Row {
    readonly name: string;
    readonly path?: string;
    readonly body: string;
    readonly says: readonly string[];
    readonly type?: string;
  }

  const rows: readonly Row[] = [
    { name: "an unknown field", body: SERVICE('{"prots":[]}'), says: ['unknown field "spec.prots"'] },
    {
      name: "an unknown field of an item",
      body: SERVICE('{"ports":[{"port":1},{"port":2,"tragetPort":3}]}'),
      says: ['unknown field "spec.ports[1].tragetPort"'],
    },
    {
      name: "several, in the order of the object",
      body: SERVICE('{"b":1,"a":2}', '"name":"x","lables":{}'),
      says: ['unknown field "metadata.lables"', 'unknown field "spec.b"', 'unknown field "spec.a"'],
    },
    {
      name: "a field given twice",
      body: SERVICE('{"ports":[{"port":80,"port":81}],"type":"ClusterIP","type":"NodePort"}'),
      says: ['duplicate field "spec.ports[0].port"', 'duplicate field "spec.type"'],
    },
    {
      name: "a key that only looks the same",
      path: MAPS,
      body: '{"metadata":{"name":"x"},"data":{"a\\u0062":"1","ab":"2","{\\"a\\":":"1"}}',
      says: ['duplicate field "data.ab"'],
    },
    {
      name: "a YAML key given twice",
      path: MAPS,
      body: "metadata:\n  name: x\ndata:\n  a: '1'\n  a: '2'\n",
      type: "application/yaml",
      says: ['yaml: unmarshal errors:\n  line 5: key "a" already set in map'],
    },
    {
      name: "unknown fields of a custom resource, sorted",
      path: POOLS,
      body: '{"metadata":{"name":"x","labls":{}},"spec":{"addresses":["192.0.2.0/28"],"zz":1,"aa":1}}',
      says: ['unknown field "metadata.labls"', 'unknown field "spec.aa"', 'unknown field "spec.zz"'],
    },
  ];

  const headersOf = (value: unknown) => (Array.isArray(value) ? value : value === undefined ? [] : [value]).map(String);

  describe("fieldValidation", () => {
    it.each(rows)("Strict refuses $name", async ({ path = SERVICES, body, says, type = "application/json" }) => {
      const reply = await api.send("POST", `${path}?fieldValidation=Strict&dryRun=All`, body, { type });
      const kind = path === SERVICES ? "Service" : path === MAPS ? "ConfigMap" : "IPAddressPool";
      const version = path === POOLS ? "v1beta1" : "v1";
      expect([reply.code, reply.body.message]).toEqual([
        400,
        `${kind} in version "${version}" cannot be handled as a ${kind}: strict decoding error: ${says.join(", ")}`,
      ]);
    });

    it.each(rows)(
      "Warn, and no word at all, warn of $name",
      async ({ path = SERVICES, body, says, type = "application/json" }) => {
        for (const query of ["fieldValidation=Warn&dryRun=All", "dryRun=All"]) {
          const reply = await api.send("POST", `${path}?${query}`, body, { type });
          const warnings = says.map((text) => `299 - "${text.replaceAll('"', '\\"').replaceAll(/\s*\n\s*/g, " ")}"`);
          const got = headersOf(reply.headers.warning).join(", ").replaceAll(/ {2,}/g, " ");
          expect(got).toBe(warnings.join(", "));
          expect(reply.code).not.toBe(400);
        }
      },
    );

    it.each(rows)("Ignore says nothing of $name", async ({ path = SERVICES, body, type = "application/json" }) => {
      const reply = await api.send("POST", `${path}?fieldValidation=Ignore&dryRun=All`, body, { type });
      expect(reply.headers.warning).toBeUndefined();
      expect(reply.code).not.toBe(400);
    });

    it("Strict says nothing of what a schema leaves open", async () => {
      const names = { plural: "opens", kind: "Open" };
      const open = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
      const schema = {
        openAPIV3Schema: {
          type: "object",
          properties: { spec: open, labels: { type: "object", additionalProperties: { type: "string" } } },
        },
      };
      await api.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
        metadata: { name: "opens.example.com" },
        spec: {
          group: "example.com",
          names,
          scope: "Namespaced",
          versions: [{ name: "v1", served: true, storage: true, schema }],
        },
      });
      const body = { metadata: { name: "x" }, spec: { any: { thing: 1 } }, labels: { any: "x" } };
      expect(
        (await api.send("POST", "/apis/example.com/v1/namespaces/default/opens?fieldValidation=Strict", body)).code,
      ).toBe(201);
    });

    it.each([
      ["application/merge-patch+json", '"{\\"apiVersion'],
      ["application/strategic-merge-patch+json", '"map[spec:map[prots:1 typ:<nil>]]"'],
    ])("Strict refuses what a %s adds", async (type, shown) => {
      const reply = await api.send(
        "PATCH",
        `${SERVICES}/there?fieldValidation=Strict`,
        { spec: { prots: 1, typ: null } },
        { type },
      );
      expect([reply.code, reply.body.message]).toEqual([
        422,
        expect.stringContaining(` "" is invalid: patch: Invalid value: ${shown}`),
      ]);
      expect(reply.body.message).toMatch(/strict decoding error: unknown field "spec\.prots"$/);
    });

    it("refuses a directive that it does not know", async () => {
      const reply = await api.send("POST", `${SERVICES}?fieldValidation=Loose`, SERVICE("{}"));
      expect([reply.code, reply.body.message]).toEqual([
        422,
        'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Loose": supported values: "Ignore", "Strict", "Warn"',
      ]);
    });

    it.each([
      [
        SERVICES,
        SERVICE('{"ports":[{"port":"80"}]}'),
        "json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32",
      ],
      [
        SERVICES,
        SERVICE('{"ports":{}}'),
        "json: cannot unmarshal object into Go struct field ServiceSpec.spec.ports of type []v1.ServicePort",
      ],
      [
        SERVICES,
        SERVICE('{"publishNotReadyAddresses":"yes"}'),
        "json: cannot unmarshal string into Go struct field ServiceSpec.spec.publishNotReadyAddresses of type bool",
      ],
      [
        SERVICES,
        SERVICE('{"ports":[{"port":1.5}]}'),
        "json: cannot unmarshal number 1.5 into Go struct field ServicePort.spec.ports.port of type int32",
      ],
      [
        SERVICES,
        SERVICE('{"ports":[{"port":9999999999}]}'),
        "json: cannot unmarshal number 9999999999 into Go struct field ServicePort.spec.ports.port of type int32",
      ],
      [
        MAPS,
        '{"metadata":{"name":"x"},"data":{"a":1}}',
        "json: cannot unmarshal number into Go struct field ConfigMap.data of type string",
      ],
      [
        MAPS.replace("configmaps", "secrets"),
        '{"metadata":{"name":"x"},"data":{"a":"!"}}',
        "illegal base64 data at input byte 0",
      ],
    ])("a value of the wrong type is refused whatever the directive: %s %s", async (path, body, says) => {
      const reply = await api.send("POST", `${path}?fieldValidation=Ignore`, body);
      expect([reply.code, reply.body.message]).toEqual([400, expect.stringContaining(`: ${says}`)]);
    });

    it("takes the last of two YAML keys when nobody minds", async () => {
      const yaml = "metadata: {name: last}\ndata:\n  a: '1'\n  a: '2'\n";
      expect((await api.send("POST", `${MAPS}?fieldValidation=Ignore`, yaml, YAML)).body.data).toEqual({ a: "2" });
    });
  });
});
