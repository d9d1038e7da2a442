import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApiClient, Reply } from "../support/api-server.ts";
import { onBothApis } from "../support/both-apis.ts";

onBothApis((start) => {
  let api: ApiClient;
  beforeAll(async () => {
    api = await start();
    await api.send("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "builder" } });
  });
  afterAll(() => api.close());

  const PROTOBUF = { type: "application/vnd.kubernetes.protobuf" };

  const CORE = "/api/v1/namespaces/default";
  const RBAC = "/apis/rbac.authorization.k8s.io/v1";

  /** kubectl sends these as protobuf; `--dry-run=client -o json` prints the object it would send. */
  const CREATED: readonly (readonly [command: string, collection: string])[] = [
    ["deployment d --image=nginx --replicas=2 --port=80", "/apis/apps/v1/namespaces/default/deployments"],
    ["service clusterip c1 --tcp=80:8080 --tcp=81:named", `${CORE}/services`],
    ["service nodeport np --tcp=80:80 --node-port=30080", `${CORE}/services`],
    ["service externalname en --external-name=example.org", `${CORE}/services`],
    ["configmap cm --from-literal=a=b --from-literal=_proto_=c", `${CORE}/configmaps`],
    ["secret generic s --from-literal=password=x", `${CORE}/secrets`],
    ["serviceaccount sa", `${CORE}/serviceaccounts`],
    ["role r --verb=get,list --resource=pods,deployments.apps", `${RBAC}/namespaces/default/roles`],
    ["clusterrole agg --aggregation-rule=a=b", `${RBAC}/clusterroles`],
    ["clusterrolebinding crb --clusterrole=agg --user=x", `${RBAC}/clusterrolebindings`],
    [
      "poddisruptionbudget pdb --selector=a=b --min-available=50%",
      "/apis/policy/v1/namespaces/default/poddisruptionbudgets",
    ],
  ];

  const WORDS: ReadonlySet<string> = new Set(["generic", "clusterip", "nodeport", "externalname"]);

  /** Without what differs between any two objects, and between any two Services. */
  function content({ body: object }: Reply): unknown {
    for (const field of ["uid", "resourceVersion", "creationTimestamp", "managedFields"]) delete object.metadata[field];
    const { spec } = object;
    for (const port of spec?.ports ?? []) delete port.nodePort;
    if (spec?.clusterIP !== "None") for (const field of ["clusterIP", "clusterIPs"]) delete spec?.[field];
    return object;
  }

  describe("an object that kubectl sends as protobuf is the one it would have sent as JSON", () => {
    it.each(CREATED)("kubectl create %s", async (command, collection) => {
      const words = command.split(" ");
      const made = await api.kubectl("create", ...words);
      expect(made.err).toBe("");
      const object = `${collection}/${words.find((word, index) => index > 0 && !WORDS.has(word))}`;
      const stored = await api.send("GET", object);
      await api.send("DELETE", object);
      const json = await api.kubectl("create", ...words, "--dry-run=client", "-o", "json");
      expect((await api.send("POST", collection, json.out)).code).toBe(201);
      expect(content(stored)).toEqual(content(await api.send("GET", object)));
      await api.send("DELETE", object);
    });
  });

  describe("what else kubectl sends as protobuf is understood", () => {
    it("auth can-i and auth whoami", async () => {
      expect((await api.kubectl("auth", "can-i", "delete", "pods")).out).toBe("yes\n");
      expect((await api.kubectl("auth", "can-i", "get", "/healthz")).out).toBe("yes\n");
      expect((await api.kubectl("auth", "can-i", "delete", "pods", "--as=nobody")).out).toBe("no\n");
      expect((await api.kubectl("auth", "can-i", "--list")).out).toMatch(/^\*\.\* +\[\] +\[\] +\[\*\]$/m);
      expect((await api.kubectl("auth", "whoami")).out).toMatch(/^Username +admin$/m);
    });

    it("create token", async () => {
      const token = await api.kubectl("create", "token", "builder", "--duration=20m", "--audience=here");
      expect(token.out.split(".")).toHaveLength(3);
    });
  });

  describe("a protobuf body that cannot be read is refused in words", () => {
    const SERVICES = "/api/v1/namespaces/default/services";
    const envelope = (apiVersion: string, kind: string, raw: readonly number[]) => {
      const text = (number: number, value: string) => [number * 8 + 2, value.length, ...Buffer.from(value, "latin1")];
      const type = [...text(1, apiVersion), ...text(2, kind)];
      return Buffer.from([0x6b, 0x38, 0x73, 0, 10, type.length, ...type, 18, raw.length, ...raw]).toString("latin1");
    };

    it.each([
      ["no magic", "{}", 400, /expected prefix \[107 56 115 0\]/],
      ["nothing behind the magic", "k8s\0", 415, /kind "" in version ""/],
      ["a kind without a table", envelope("example.org/v1", "Gadget", []), 415, /"Gadget".*kubectl apply -f/],
      ["a part of an object", envelope("v1", "PodSpec", []), 415, /"PodSpec".*kubectl apply -f/],
      ["an early end", envelope("v1", "Service", [10, 100]), 400, /ends in the middle of a field/],
      ["a number where a message belongs", envelope("v1", "Service", [8, 1]), 400, /Service\.metadata has wire type 0/],
      [
        "another kind than the path's",
        envelope("v1", "Pod", []),
        400,
        /Pod in version "v1" cannot be handled as a Service/,
      ],
    ])("%s", async (_name, body, code, message) => {
      const reply = await api.send("POST", SERVICES, body, PROTOBUF);
      expect(reply.body).toMatchObject({ code, message: expect.stringMatching(message) });
    });
  });
});
