import { describe, expect, it } from "vitest";
import { builtinShape } from "#sandbox/apiserver/managed-fields/builtin-shapes";
import { customShape } from "#sandbox/apiserver/managed-fields/crd-shapes";
import { typeProblem } from "#sandbox/apiserver/managed-fields/merge";
import type { Json } from "#sandbox/kinds/definition";
import { Subject, TIMES } from "./subject.ts";

const SERVICE = builtinShape("core/Service");
const DEPLOYMENT = builtinShape("apps/Deployment");

const port = (number: number, more: Json = {}): Json => ({ port: number, ...more });
const refusal = (action: () => unknown): string => {
  try {
    action();
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
  return "";
};

describe("server-side apply", () => {
  it("owns what it says and nothing else", () => {
    const subject = new Subject(SERVICE).apply("ci", { spec: { type: "ClusterIP", ports: [port(80)] } });
    expect(subject.owners()).toEqual({
      "ci Apply": [
        'spec.ports.{"port":80,"protocol":"TCP"}',
        'spec.ports.{"port":80,"protocol":"TCP"}.port',
        "spec.type",
      ],
    });
  });

  it("refuses to change what another manager set, naming manager and field", () => {
    const subject = new Subject(DEPLOYMENT).update("kubectl-client-side-apply", { spec: { replicas: 1 } });
    expect(refusal(() => subject.apply("ci", { spec: { replicas: 2 } }))).toBe(
      'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using v1 at 2026-01-01T00:00:00Z: .spec.replicas',
    );
  });

  it("lists several conflicts by manager", () => {
    const subject = new Subject(DEPLOYMENT)
      .apply("b", { spec: { replicas: 1 } })
      .apply("a", { spec: { paused: true } });
    expect(refusal(() => subject.apply("ci", { spec: { replicas: 2, paused: false } }))).toBe(
      'Apply failed with 2 conflicts: conflicts with "a":\n- .spec.paused\nconflicts with "b":\n- .spec.replicas',
    );
  });

  it("shares what both say alike, and takes what it is forced to", () => {
    const subject = new Subject(DEPLOYMENT).apply("a", { spec: { replicas: 1 } }).apply("b", { spec: { replicas: 1 } });
    expect(Object.keys(subject.owners()).sort()).toEqual(["a Apply", "b Apply"]);
    subject.apply("b", { spec: { replicas: 3 } }, true);
    expect(subject.owners()).toEqual({ "b Apply": ["spec.replicas"] });
    expect(subject.object?.spec).toEqual({ replicas: 3 });
  });

  it("removes what it no longer says, unless somebody else still does", () => {
    const subject = new Subject(SERVICE)
      .apply("a", { spec: { externalName: "x", type: "ExternalName", ports: [port(80), port(443)] } })
      .apply("b", { spec: { ports: [port(443)] } });
    subject.apply("a", { spec: { type: "ExternalName" } });
    expect(subject.object?.spec).toEqual({ type: "ExternalName", ports: [port(443)] });
  });

  it("removes an emptied map with its last entry", () => {
    const subject = new Subject(SERVICE).apply("a", {
      metadata: { name: "x", labels: { a: "1" } },
      spec: { type: "NodePort" },
    });
    subject.apply("a", { spec: { type: "NodePort" } });
    expect(subject.object?.metadata).not.toHaveProperty("labels");
  });

  it("removes an item that it gives up with what an updater filled in there", () => {
    const subject = new Subject(SERVICE).apply("a", { spec: { ports: [port(80, { name: "web" })] } });
    const nodePort = port(80, { name: "web", nodePort: 30_001 });
    subject.update("proxy", { spec: { ports: [nodePort] } }).apply("a", { spec: { type: "ClusterIP" } });
    expect(subject.object?.spec).toEqual({ type: "ClusterIP" });
  });

  it("tells ports of one number apart by protocol, TCP unless said", () => {
    const subject = new Subject(SERVICE).apply("a", { spec: { ports: [port(53, { name: "tcp" })] } });
    subject.apply("b", { spec: { ports: [port(53, { name: "udp", protocol: "UDP" })] } });
    subject.apply("c", { spec: { ports: [port(53, { protocol: "TCP", appProtocol: "dns" })] } });
    expect(subject.object?.spec).toEqual({
      ports: [
        port(53, { name: "tcp", protocol: "TCP", appProtocol: "dns" }),
        port(53, { name: "udp", protocol: "UDP" }),
      ],
    });
  });

  it("owns selectors and other atomic values as one", () => {
    const subject = new Subject(SERVICE).apply("a", { spec: { selector: { app: "x" } } });
    expect(refusal(() => subject.apply("b", { spec: { selector: { tier: "y" } } }))).toContain(
      'conflict with "a": .spec.selector',
    );
  });

  it("changes no time when nothing changes, and none of a manager that only joins", () => {
    const subject = new Subject(DEPLOYMENT).apply("a", { spec: { replicas: 1 } });
    subject.apply("a", { spec: { replicas: 1 } }).apply("b", { spec: { replicas: 1 } });
    expect(subject.managers().map(({ name, time }) => [name, time])).toEqual([
      ["b", undefined],
      ["a", TIMES[0]],
    ]);
  });

  it("begins to track an object that nobody managed", () => {
    const subject = new Subject(DEPLOYMENT);
    subject.object = { metadata: { name: "x" }, spec: { replicas: 1, paused: true } };
    expect(refusal(() => subject.apply("a", { spec: { replicas: 2 } }))).toContain(
      'conflict with "before-first-apply"',
    );
    expect(subject.apply("a", { spec: { replicas: 2 } }, true).owners()).toEqual({
      "a Apply": ["spec.replicas"],
      "before-first-apply Update": ["spec.paused"],
    });
  });

  it("lets kubectl take over what its client-side apply set and nobody changed since", () => {
    const annotations = {
      "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify({ spec: { replicas: 1, paused: true } }),
    };
    const subject = new Subject(DEPLOYMENT).update("kubectl-client-side-apply", {
      metadata: { annotations },
      spec: { replicas: 1, paused: true },
    });
    subject.apply("kubectl", { spec: { replicas: 5, paused: true } });
    expect(subject.object?.spec).toEqual({ replicas: 5, paused: true });
    expect(JSON.stringify(subject.object?.metadata)).toContain('\\"replicas\\":5');
    expect(
      refusal(() =>
        subject
          .update("scaler", { ...subject.object, spec: { replicas: 9, paused: true } })
          .apply("kubectl", { spec: { replicas: 6 } }),
      ),
    ).toContain(".spec.replicas");
  });

  it("takes lists of custom resources as their schema says", () => {
    const list = (more: Json): Json => ({ type: "array", ...more });
    const item = { type: "object", properties: { name: { type: "string" }, v: { type: "integer" } } };
    const shape = customShape({
      type: "object",
      properties: {
        spec: {
          type: "object",
          properties: {
            one: list({ items: item }),
            set: list({ items: { type: "string" }, "x-kubernetes-list-type": "set" }),
            map: list({ items: item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] }),
            free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
            whole: { type: "object", additionalProperties: { type: "string" }, "x-kubernetes-map-type": "atomic" },
          },
        },
      },
    });
    const subject = new Subject(shape)
      .apply("a", {
        spec: {
          one: [{ name: "x" }],
          set: ["x"],
          map: [{ name: "x", v: 1 }],
          free: { a: { b: 1 } },
          whole: { a: "1" },
        },
      })
      .apply("b", { spec: { set: ["y"], map: [{ name: "y", v: 2 }], free: { a: { c: 2 } } } });
    expect(subject.object?.spec).toEqual({
      one: [{ name: "x" }],
      set: ["x", "y"],
      map: [
        { name: "x", v: 1 },
        { name: "y", v: 2 },
      ],
      free: { a: { b: 1, c: 2 } },
      whole: { a: "1" },
    });
    expect(refusal(() => subject.apply("c", { spec: { one: [], whole: { b: "2" } } }))).toContain("2 conflicts");
  });

  it.each([
    [{ spec: { prots: [] } }, ".spec.prots: field not declared in schema"],
    [
      { spec: { ports: [{ name: "x" }] } },
      '.spec.ports: element 0: associative list with keys has an element that omits key field "port" (and doesn\'t have default value)',
    ],
    [{ spec: { ports: [port(80), port(80)] } }, '.spec.ports: duplicate entries for key [port=80,protocol="TCP"]'],
    [{ spec: { ports: {} } }, ".spec.ports: expected list, got &{{}}"],
    [{ spec: [] }, ".spec: expected map, got &{[]}"],
  ])("does not take %j", (applied, problem) => {
    expect(typeProblem(applied as Json, SERVICE)).toBe(problem);
  });
});

describe("plain writes", () => {
  it("give the writer what it changed and take it from everybody else", () => {
    const subject = new Subject(DEPLOYMENT).update("create", { spec: { replicas: 1, paused: true } });
    subject.update("scale", { spec: { replicas: 2, paused: true } }, "scale");
    expect(subject.owners()).toEqual({ "create Update": ["spec.paused"], "scale Update": ["spec.replicas"] });
    subject.update("create", { spec: { replicas: 2 } });
    expect(subject.owners()).toEqual({ "scale Update": ["spec.replicas"] });
  });

  it("leave managers and times alone when they change nothing", () => {
    const subject = new Subject(DEPLOYMENT).update("create", { spec: { replicas: 1 } });
    const before = subject.managers();
    expect(subject.update("other", { spec: { replicas: 1 } }).managers()).toEqual(before);
  });

  it("never leave more than ten updaters: the oldest become one", () => {
    const subject = new Subject(SERVICE).update("m0", { metadata: { labels: { l0: "0" } } });
    for (let i = 1; i < 15; i++) {
      const now = Object.fromEntries(Array.from({ length: i + 1 }, (_, n) => [`l${n}`, "0"]));
      subject.update(`m${i}`, { metadata: { labels: now } });
    }
    const names = subject.managers().map(({ name }) => name);
    expect(names).toHaveLength(10);
    expect(names).toContain("ancient-changes");
    expect(names).toContain("m14");
  });
});
