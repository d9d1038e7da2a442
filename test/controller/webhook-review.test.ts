import { describe, expect, it } from "vitest";
import { WEBHOOK_PATHS } from "#controller/webhooks/paths";
import { answerReview } from "#controller/webhooks/review";
import type { Change, Verdict } from "#core/configuration/admission";
import { readManifests } from "#main/manifests";
import { fc } from "../support/random.ts";

const FINE: Verdict = { errors: [], warnings: [] };
const POOL = { group: "metallb.io", version: "v1beta1", kind: "IPAddressPool" };

function review(request: object): string {
  return JSON.stringify({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: { uid: "u-1", kind: POOL, operation: "CREATE", namespace: "metallb-system", ...request },
  });
}

function asked(request: object): Change {
  const changes: Change[] = [];
  answerReview(review(request), "IPAddressPool", (change) => {
    changes.push(change);
    return FINE;
  });
  return changes[0] ?? expect.fail("nobody was asked");
}

describe("the answer to an AdmissionReview", () => {
  const object = { metadata: { name: "a" }, spec: { addresses: [] } };

  it("repeats the uid and allows what nothing is wrong with", () => {
    const reply = answerReview(review({ object }), "IPAddressPool", () => FINE);
    expect(reply).toMatchObject({ status: 200, outcome: "allowed" });
    expect(JSON.parse(reply.body)).toEqual({
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      response: { uid: "u-1", allowed: true },
    });
  });

  it("names every wrong field as a cause, and cuts warnings to what a server passes on", () => {
    const wrong = (field: string) => ({
      severity: "error" as const,
      kind: "IPAddressPool" as const,
      object: "metallb-system/a",
      reason: "overlap" as const,
      field,
      message: "overlaps",
      fix: "shrink it",
    });
    const verdict = { errors: [wrong("spec.addresses.0"), wrong("spec.addresses.1")], warnings: ["w".repeat(999)] };
    const { outcome, body } = answerReview(review({ name: "a", object }), "IPAddressPool", () => verdict);
    const { response } = JSON.parse(body);
    expect(outcome).toBe("denied");
    expect(response).toMatchObject({
      allowed: false,
      status: {
        code: 422,
        reason: "Invalid",
        message: "spec.addresses.0: overlaps; shrink it; spec.addresses.1: overlaps; shrink it",
        details: { name: "a", group: "metallb.io", kind: "IPAddressPool" },
      },
    });
    expect(response.status.details.causes[1]).toEqual({
      reason: "FieldValueInvalid",
      field: "spec.addresses.1",
      message: "overlaps; shrink it",
    });
    expect(response.warnings).toEqual([`${"w".repeat(255)}…`]);
  });

  it("judges a deletion by the object that is there", () => {
    expect(asked({ operation: "DELETE", name: "a", object: null, oldObject: object })).toMatchObject({
      operation: "DELETE",
      name: "a",
      namespace: "metallb-system",
      oldObject: object,
    });
  });

  it("judges an object whose name the server still chooses by its prefix", () => {
    const change = asked({ object: { metadata: { generateName: "pool-" } } });
    expect(change.name).toBe("pool-");
    expect(change.object).toMatchObject({ metadata: { name: "pool-", namespace: "metallb-system" } });
  });

  it.each([
    ["nothing", ""],
    ["no JSON", "{"],
    ["JSON that is no review", "[]"],
    [
      "a review of another version",
      JSON.stringify({ apiVersion: "admission.k8s.io/v1beta1", kind: "AdmissionReview" }),
    ],
    ["a review without uid", review({ uid: "" })],
    ["an operation that does not exist", review({ operation: "MOVE" })],
    ["a review of another kind than the path's", review({ kind: { ...POOL, kind: "Community" } })],
  ])("%s is 400 with the reason", (_name, body) => {
    const reply = answerReview(body, "IPAddressPool", () => FINE);
    expect(reply).toMatchObject({ status: 400, outcome: "malformed" });
    expect(JSON.parse(reply.body).message).not.toBe("");
  });

  it("survives whatever is sent", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.jsonValue().map((value) => review({ object: value })),
        ),
        (body) => {
          expect([200, 400]).toContain(answerReview(body, "IPAddressPool", () => FINE).status);
        },
      ),
      { numRuns: 200 },
    );
  });
});

it("the manifests point every kind of the configuration at a path that is served, deletion included", () => {
  type Hook = {
    name: string;
    clientConfig: { service: { path: string } };
    failurePolicy: string;
    rules: { operations: string[]; resources: string[] }[];
  };
  const [configuration] = readManifests("base").filter(({ kind }) => kind === "ValidatingWebhookConfiguration");
  const webhooks = (configuration?.webhooks ?? []) as Hook[];
  const crds = readManifests("crds").map((crd) => (crd.spec as { names: { plural: string; kind: string } }).names);
  for (const { name, clientConfig, failurePolicy, rules } of webhooks) {
    const kind = WEBHOOK_PATHS[clientConfig.service.path];
    expect(name).toBe(`${kind?.toLowerCase()}validationwebhook.metallb.io`);
    expect(failurePolicy).toBe("Ignore");
    expect(rules.map(({ operations }) => operations)).toEqual([["CREATE", "UPDATE", "DELETE"]]);
    expect(rules[0]?.resources).toEqual([crds.find((one) => one.kind === kind)?.plural]);
  }
  expect(webhooks.map(({ clientConfig }) => clientConfig.service.path).toSorted()).toEqual(
    Object.keys(WEBHOOK_PATHS).toSorted(),
  );
});
