import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readManifests } from "#main/manifests";
import type { ApiClient } from "../support/api-server.ts";
import { onBothApis } from "../support/both-apis.ts";

onBothApis((start) => {
  let api: ApiClient;
  const GROUP = "/apis/metallb.io";
  const inNamespace = (version: string, plural: string) => `${GROUP}/${version}/namespaces/metallb-system/${plural}`;
  const PEERS = inNamespace("v1beta2", "bgppeers");

  beforeAll(async () => {
    api = await start();
    for (const crd of readManifests("crds"))
      await api.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd);
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "metallb-system" } };
    await api.send("POST", "/api/v1/namespaces", namespace);
  });
  afterAll(() => api?.close());

  const peer = (name: string, spec: object, version = "v1beta2") => ({
    apiVersion: `metallb.io/${version}`,
    kind: "BGPPeer",
    metadata: { name },
    spec,
  });
  const SPEC = { myASN: 64512, peerASN: 4294967295, peerAddress: "192.0.2.1" };

  describe("the kinds of metallb.io as an API server serves them", () => {
    it("are those of upstream, a BGPPeer preferably as v1beta2", async () => {
      const { out } = await api.kubectl("api-resources", "--api-group=metallb.io");
      const transcript = readFileSync("test/story/kubectl/transcripts/094.txt", "utf8")
        .split("\n")
        .slice(1, -2)
        .join("\n");
      expect(out.trim()).toBe(transcript.trim());
    });

    it("print a peer with upstream's columns", async () => {
      const made = await api.send("POST", PEERS, peer("tor", { ...SPEC, ebgpMultiHop: true }));
      expect(made.code, made.text).toBe(201);
      const { out } = await api.kubectl("get", "bgppeers", "-n", "metallb-system");
      expect(
        out
          .split("\n")
          .slice(0, 2)
          .map((line) => line.split(/ {2,}/)),
      ).toEqual([
        ["NAME", "ADDRESS", "ASN", "BFD PROFILE", "MULTI HOPS"],
        ["tor", "192.0.2.1", "4294967295", "true"],
      ]);
    });

    it("fill in defaults, and serve one peer in both versions", async () => {
      const { body } = await api.send("GET", `${PEERS}/tor`);
      expect(body.spec).toMatchObject({ peerPort: 179, disableMP: false, dualStackAddressFamily: false });
      const old = await api.send("GET", inNamespace("v1beta1", "bgppeers/tor"));
      expect(old.body).toMatchObject({ apiVersion: "metallb.io/v1beta1", spec: { myASN: 64512 } });
      const ad = { apiVersion: "metallb.io/v1beta1", kind: "BGPAdvertisement", metadata: { name: "ad" }, spec: {} };
      const made = await api.send("POST", inNamespace("v1beta1", "bgpadvertisements"), ad);
      expect(made.body.spec).toEqual({ aggregationLength: 32, aggregationLengthV6: 128 });
    });

    it.each([
      ["no own AS number", { myASN: undefined }, "spec.myASN: Required value"],
      ["an AS number above 32 bits", { peerASN: 4294967296 }, "spec.peerASN: Invalid value"],
      ["a port above 16384", { peerPort: 16385 }, "spec.peerPort: Invalid value"],
      ["another dynamic AS", { dynamicASN: "auto" }, 'supported values: "internal", "external"'],
    ])("refuse a peer with %s", async (_what, wrong, says) => {
      const { code, body } = await api.send("POST", PEERS, peer("bad", { ...SPEC, ...wrong }));
      expect([code, body.message.includes(says)], body.message).toEqual([422, true]);
    });
  });
});
