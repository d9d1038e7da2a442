import { KubeConfig, KubernetesObjectApi, PatchStrategy } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { applyTo, DEPLOYMENTS, managersOf, POOLS, SERVICES, service } from "../support/apply.ts";
import { onBothApis } from "../support/both-apis.ts";
import { fc } from "../support/random.ts";

onBothApis((start) => {
  const { running, apply } = applyTo(start);

  describe("whatever is applied", () => {
    const anything = fc.jsonValue({ maxDepth: 2 });
    const targets = fc.constantFrom(
      ["v1", "Service", SERVICES],
      ["apps/v1", "Deployment", DEPLOYMENTS],
      ["metallb.io/v1beta1", "IPAddressPool", POOLS],
    );
    const metadata = fc.record(
      {
        labels: anything,
        finalizers: anything,
        ownerReferences: anything,
        managedFields: anything,
      },
      { requiredKeys: [] },
    );
    const known = fc.constantFrom("ports", "selector", "replicas", "template", "addresses", "strategy", "type", "port");
    const spec = fc.oneof(
      anything,
      fc.dictionary(known, fc.oneof(anything, fc.array(fc.dictionary(known, anything), { maxLength: 3 }))),
    );
    const content = fc.record({ metadata, spec, status: anything }, { requiredKeys: [] });
    const query = fc.constantFrom("fieldManager=f", "fieldManager=f&force=true", "fieldManager=g&dryRun=All");
    const part = fc.constantFrom("", "", "/status", "/scale");

    it("is done or refused in words, and a 500 only says what does not fit the schema", async () => {
      await fc.assert(
        fc.asyncProperty(targets, content, query, part, async ([apiVersion, kind, path], given, how, where) => {
          const body = { apiVersion, kind, ...given, metadata: { ...given.metadata, name: "fuzz" } };
          const reply = await apply(`${path}/fuzz${where}`, body, how);
          if (reply.code < 400) return;
          expect(reply.body).toMatchObject({ kind: "Status", message: expect.any(String) });
          if (reply.code === 500) expect(reply.body.message).toContain("failed to create typed patch object");
        }),
        { numRuns: 200 },
      );
    });
  });

  describe("managed fields", () => {
    it("name the field manager, or else the program that wrote", async () => {
      const { body } = await running().send("POST", SERVICES, service("ua"), {
        headers: { "user-agent": "tool/v1.2 (linux)" },
      });
      expect(managersOf(body)).toEqual(["tool/Update"]);
    });

    it("are dropped by [{}], and come back with the next apply", async () => {
      await apply(`${SERVICES}/drop`, service("drop"));
      const merge = { type: "application/merge-patch+json" };
      const dropped = await running().send("PATCH", `${SERVICES}/drop`, { metadata: { managedFields: [{}] } }, merge);
      expect(dropped.body.metadata).not.toHaveProperty("managedFields");
      const labelled = await running().send("PATCH", `${SERVICES}/drop`, { metadata: { labels: { a: "b" } } }, merge);
      expect(labelled.body.metadata).not.toHaveProperty("managedFields");
      const { body } = await apply(`${SERVICES}/drop`, service("drop"));
      expect(managersOf(body).sort()).toEqual(["before-first-apply/Update", "ci/Apply"]);
    });

    it("may be set by a client that upgrades them, and are kept from one that forgets them", async () => {
      const { body } = await running().send("POST", `${SERVICES}?fieldManager=old`, service("up"));
      const [entry] = body.metadata.managedFields;
      const patch = [
        { op: "replace", path: "/metadata/managedFields", value: [{ ...entry, manager: "new", operation: "Apply" }] },
      ];
      const moved = await running().send("PATCH", `${SERVICES}/up`, patch, { type: "application/json-patch+json" });
      expect(managersOf(moved.body)).toEqual(["new/Apply"]);
      const { managedFields: _gone, ...metadata } = moved.body.metadata;
      const put = await running().send("PUT", `${SERVICES}/up`, { ...moved.body, metadata });
      expect(managersOf(put.body)).toEqual(["new/Apply"]);
    });

    it.each([
      [[{ manager: "x", operation: "Steal", fieldsType: "FieldsV1" }], "metadata.managedFields[0].operation"],
      [[{ manager: "x", operation: "Apply", fieldsType: "V9" }], "metadata.managedFields[0].fieldsType"],
      [[{ manager: "x".repeat(200), operation: "Apply", fieldsType: "FieldsV1" }], "metadata.managedFields[0].manager"],
    ])("%j are refused", async (managedFields, field) => {
      const patch = { metadata: { managedFields } };
      const reply = await running().send("PATCH", `${SERVICES}/ua`, patch, { type: "application/merge-patch+json" });
      expect([reply.code, reply.body.details.causes[0].field]).toEqual([422, field]);
    });
  });

  describe("clients", () => {
    it("client-node's apply and kubectl's come to the same object, and meet the same conflict", async () => {
      const config = new KubeConfig();
      config.loadFromFile(running().kubeconfig);
      const objects = KubernetesObjectApi.makeApiClient(config);
      const body = (name: string, type: string) => ({
        ...service(name, { namespace: "default" }, { type, selector: { app: "x" } }),
        metadata: { name, namespace: "default" },
      });
      await objects.patch(body("one", "ClusterIP"), undefined, undefined, "mgr", false, PatchStrategy.ServerSideApply);
      const said = await running().kubectlWith(
        JSON.stringify(body("two", "ClusterIP")),
        ...["apply", "--server-side", "--field-manager=mgr", "-f", "-"],
      );
      expect(said.out).toBe("service/two serverside-applied\n");
      const [one, two] = [
        await running().send("GET", `${SERVICES}/one`),
        await running().send("GET", `${SERVICES}/two`),
      ];
      expect(managersOf(one.body)).toEqual(managersOf(two.body));
      expect(one.body.metadata.managedFields[0].fieldsV1).toEqual(two.body.metadata.managedFields[0].fieldsV1);

      const other = body("one", "NodePort");
      const refused = objects.patch(other, undefined, undefined, "other", false, PatchStrategy.ServerSideApply);
      await expect(refused).rejects.toMatchObject({
        code: 409,
        message: expect.stringContaining("conflict with"),
      });
      const told = await running().kubectlWith(
        JSON.stringify(other),
        "apply",
        "--server-side",
        "--field-manager=other",
        "-f",
        "-",
      );
      expect([told.code, told.err]).toEqual([1, expect.stringContaining('conflict with "mgr": .spec.type')]);
    });

    it("kubectl moves from client-side to server-side apply without leaving a second owner", async () => {
      const input = JSON.stringify(service("moved", {}, { type: "NodePort" }));
      expect((await running().kubectlWith(input, "apply", "-f", "-")).out).toBe("service/moved created\n");
      expect((await running().kubectlWith(input, "apply", "--server-side", "-f", "-")).out).toBe(
        "service/moved serverside-applied\n",
      );
      const { body } = await running().send("GET", `${SERVICES}/moved`);
      expect(managersOf(body)).toEqual(["kubectl-last-applied/Apply", "kubectl/Apply"]);
      const less = JSON.stringify(service("moved"));
      expect((await running().kubectlWith(less, "apply", "--server-side", "-f", "-")).code).toBe(0);
      expect((await running().send("GET", `${SERVICES}/moved`)).body.spec.type).toBe("ClusterIP");
    });

    it("kubectl applies a List, and is told what is wrong in an item of it", async () => {
      const list = (data: object) =>
        JSON.stringify({
          apiVersion: "v1",
          kind: "List",
          items: [{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "in-list" }, ...data }],
        });
      expect((await running().kubectlWith(list({ data: { a: "1" } }), "apply", "-f", "-")).out).toBe(
        "configmap/in-list created\n",
      );
      const odd = await running().kubectlWith(list({ dta: {} }), "create", "-f", "-");
      expect(odd.err).toContain('strict decoding error: unknown field "dta"');
    });
  });
});
