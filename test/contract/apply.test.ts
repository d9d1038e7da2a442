import { describe, expect, it } from "vitest";
import { APPLY, applyTo, DEPLOYMENTS, managersOf, POOLS, SERVICES, service } from "../support/apply.ts";
import { onBothApis } from "../support/both-apis.ts";

onBothApis((start) => {
  const { running, apply } = applyTo(start);

  describe("server-side apply", () => {
    it("creates what is not there, with 201, and changes it with 200; what the server fills in is nobody's", async () => {
      const made = await apply(`${SERVICES}/made`, service("made"));
      expect([made.code, made.body.spec.type]).toEqual([201, "ClusterIP"]);
      expect(made.body.metadata.managedFields[0].fieldsV1).toEqual({
        "f:spec": { "f:ports": { 'k:{"port":80,"protocol":"TCP"}': { ".": {}, "f:port": {} } } },
      });
      const changed = await apply(`${SERVICES}/made`, service("made", {}, { sessionAffinity: "ClientIP" }));
      expect([changed.code, changed.body.spec.sessionAffinity]).toEqual([200, "ClientIP"]);
      expect(changed.body.spec.clusterIP).toBe(made.body.spec.clusterIP);
    });

    it("writes nothing when nothing changes", async () => {
      const first = await apply(`${SERVICES}/same`, service("same"));
      const second = await apply(`${SERVICES}/same`, service("same"));
      expect(second.body).toEqual(first.body);
    });

    it("reads YAML", async () => {
      const yaml = "apiVersion: v1\nkind: Service\nmetadata: {name: yaml}\nspec: {ports: [{port: 81}]}\n";
      expect((await apply(`${SERVICES}/yaml`, yaml)).code).toBe(201);
    });

    it("answers a conflict with a cause for each field, and takes the fields when forced", async () => {
      await running().send(
        "POST",
        `${SERVICES}?fieldManager=kubectl-create`,
        service("held", {}, { type: "NodePort" }),
      );
      const body = service("held", {}, { type: "LoadBalancer", ports: [{ port: 80, name: "web" }] });
      const refused = await apply(`${SERVICES}/held`, body);
      expect([refused.code, refused.body.reason]).toEqual([409, "Conflict"]);
      expect(refused.body.message).toMatch(
        /^Apply failed with 1 conflict: conflict with "kubectl-create" using v1 at 20\d\d-\S+Z: \.spec\.type$/,
      );
      expect(refused.body.details.causes).toEqual([
        { reason: "FieldManagerConflict", message: expect.stringContaining('"kubectl-create"'), field: ".spec.type" },
      ]);
      const forced = await apply(`${SERVICES}/held`, body, "fieldManager=ci&force=true");
      expect([forced.code, forced.body.spec.type]).toEqual([200, "LoadBalancer"]);
    });

    it("keeps status and scale apart", async () => {
      const selector = { matchLabels: { app: "x" } };
      const template = { metadata: { labels: { app: "x" } }, spec: { containers: [{ name: "c", image: "i" }] } };
      const body = {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "web" },
        spec: { selector, template },
      };
      await apply(`${DEPLOYMENTS}/web`, { ...body, status: { replicas: 7 } });
      const scale = { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "web" }, spec: { replicas: 3 } };
      expect((await apply(`${DEPLOYMENTS}/web/scale`, scale, "fieldManager=hpa&force=true")).body.spec.replicas).toBe(
        3,
      );
      const status = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, status: { replicas: 2 } };
      const { body: after } = await apply(
        `${DEPLOYMENTS}/web/status`,
        { ...status, spec: { paused: true } },
        "fieldManager=st",
      );
      expect([after.spec.replicas, after.spec.paused, after.status]).toEqual([3, undefined, { replicas: 2 }]);
      expect(managersOf(after).sort()).toEqual(["ci/Apply", "hpa/Apply/scale", "st/Apply/status"]);
    });

    it("speaks of custom resources as of any other", async () => {
      const pool = (spec: object) => ({
        apiVersion: "metallb.io/v1beta1",
        kind: "IPAddressPool",
        metadata: { name: "gold" },
        spec: { addresses: ["192.0.2.0/28"], ...spec },
      });
      expect((await apply(`${POOLS}/gold`, pool({}))).code).toBe(201);
      expect((await apply(`${POOLS}/gold`, pool({ autoAssign: false }), "fieldManager=other")).code).toBe(200);
      const { body } = await apply(`${POOLS}/gold`, pool({ autoAssign: true }));
      expect(body.message).toBe('Apply failed with 1 conflict: conflict with "other": .spec.autoAssign');
    });

    const rows: {
      name: string;
      path: string;
      body: unknown;
      query?: string;
      type?: string;
      code: number;
      says: string;
    }[] = [
      {
        name: "no field manager",
        path: `${SERVICES}/x`,
        body: service("x"),
        query: "",
        code: 422,
        says: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      },
      {
        name: "a field that the kind does not have",
        path: `${SERVICES}/x`,
        body: service("x", {}, { prots: [] }),
        code: 500,
        says: "failed to create typed patch object (default/x; /v1, Kind=Service): .spec.prots: field not declared in schema",
      },
      {
        name: "a field that a definition does not have",
        path: `${POOLS}/x`,
        body: {
          apiVersion: "metallb.io/v1beta1",
          kind: "IPAddressPool",
          metadata: { name: "x" },
          spec: { adresses: [] },
        },
        code: 500,
        says: ".spec.adresses: field not declared in schema",
      },
      {
        name: "managed fields in the body",
        path: `${SERVICES}/x`,
        body: service("x", { managedFields: [{ manager: "me" }] }),
        code: 400,
        says: "metadata.managedFields must be nil",
      },
      {
        name: "no kind",
        path: `${SERVICES}/x`,
        body: { metadata: { name: "x" } },
        code: 400,
        says: "Object 'Kind' is missing",
      },
      {
        name: "another name",
        path: `${SERVICES}/x`,
        body: service("y"),
        code: 400,
        says: "does not match the name on the URL",
      },
      {
        name: "a name of another uid",
        path: `${SERVICES}/x`,
        body: service("x", { uid: "u" }),
        code: 409,
        says: "uid mismatch",
      },
      {
        name: "an object that is invalid",
        path: `${SERVICES}/x`,
        body: service("x", {}, { type: "T" }),
        code: 422,
        says: "spec.type: Unsupported value",
      },
      {
        name: "the status of nothing",
        path: `${SERVICES}/none/status`,
        body: service("none"),
        code: 404,
        says: 'services "none" not found',
      },
      {
        name: "a key twice, strictly",
        path: `${SERVICES}/x`,
        body: "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec:\n  type: ClusterIP\n  type: NodePort\n",
        query: "fieldManager=ci&fieldValidation=Strict",
        code: 400,
        says: 'error strict decoding YAML: yaml: unmarshal errors:\n  line 6: key "type" already set in map',
      },
      {
        name: "a key twice in JSON, strictly",
        path: `${SERVICES}/x`,
        body: '{"apiVersion":"v1","kind":"Service","metadata":{"name":"x"},"spec":{"type":"ClusterIP","type":"NodePort"}}',
        query: "fieldManager=ci&fieldValidation=Strict",
        code: 400,
        says: 'error strict decoding YAML: yaml: unmarshal errors:\n  line 1: key "type" already set in map',
      },
      { name: "no YAML", path: `${SERVICES}/x`, body: "a: [", code: 400, says: "is not valid YAML" },
      {
        name: "CBOR",
        path: `${SERVICES}/x`,
        body: "x",
        type: "application/apply-patch+cbor",
        code: 415,
        says: "accepted media types include: application/json-patch+json",
      },
    ];
    it.each(rows)("refuses $name", async ({ path, body, query = "fieldManager=ci", type = APPLY, code, says }) => {
      const reply = await running().send("PATCH", `${path}?${query}`, body, { type });
      expect([reply.code, reply.body.message]).toEqual([code, expect.stringContaining(says)]);
    });

    it("creates only for those who may create", async () => {
      const reply = await running().send("PATCH", `${SERVICES}/v?fieldManager=ci`, service("v"), {
        type: APPLY,
        headers: { "impersonate-user": "nobody" },
      });
      expect([reply.code, reply.body.reason]).toEqual([403, "Forbidden"]);
    });

    it("refuses force on any other patch", async () => {
      const reply = await running().send(
        "PATCH",
        `${SERVICES}/made?force=true`,
        {},
        { type: "application/merge-patch+json" },
      );
      expect([reply.code, reply.body.message]).toEqual([422, expect.stringContaining("force: Forbidden")]);
    });
  });
});
