import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readProxySettings, withStrictArp } from "#server/kube-proxy-config";
import { parseNeighbours } from "#server/nodes";
import { listed } from "#server/rows/words";
import { parseReachableAt } from "#server/target";
import { toYaml } from "#server/yaml";
import { fc } from "../support/random.ts";

describe("YAML", () => {
  it("reads as kubectl prints it", () => {
    const object = {
      apiVersion: "metallb.io/v1beta1",
      kind: "IPAddressPool",
      metadata: {
        name: "production",
        managedFields: [{ manager: "x" }],
        labels: {},
        annotations: { on: "true", note: "a: b" },
      },
      spec: {
        addresses: ["127.77.10.1-127.77.10.254", "fd00::/64"],
        autoAssign: true,
        empty: [],
        list: [[1, 2], { a: null, b: "x" }],
      },
    };
    expect(toYaml(object)).toBe(
      [
        "apiVersion: metallb.io/v1beta1",
        "kind: IPAddressPool",
        "metadata:",
        "  annotations:",
        '    note: "a: b"',
        '    "on": "true"',
        "  labels: {}",
        "  name: production",
        "spec:",
        "  addresses:",
        "  - 127.77.10.1-127.77.10.254",
        "  - fd00::/64",
        "  autoAssign: true",
        "  empty: []",
        "  list:",
        "  -",
        "    - 1",
        "    - 2",
        "  - a: null",
        "    b: x",
        "",
      ].join("\n"),
    );
  });

  it("says exactly what the object says, for any object", () => {
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string(),
        fc.string({ unit: "grapheme" }),
        fc.constantFrom(
          "yes",
          "1e3",
          "0x1f",
          "2026-01-01",
          "12:30",
          "- a",
          "# no",
          "a #b",
          "multi\nline\n",
          "trail \nx",
          "\n",
          " x",
          "null",
          "*a",
          "&b",
          "!c",
          "%d",
          "@e",
          "`f",
          "|",
          ">",
          "?",
          "-",
          ":",
          "{}",
          "[a",
          "a:",
          "text\n\n",
        ),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        tie("list"),
        tie("object"),
      ),
      list: fc.array(tie("value"), { maxLength: 4 }),
      object: fc.dictionary(fc.string(), tie("value"), { maxKeys: 4 }),
    }));
    fc.assert(
      fc.property(json.object, (object) => {
        expect(parse(toYaml({ x: object }), { version: "1.1" })).toEqual({ x: object });
      }),
      { numRuns: 400 },
    );
  });
});

const BLOCK = `apiVersion: kubeproxy.config.k8s.io/v1alpha1
# who we are
kind: KubeProxyConfiguration
ipvs:
  excludeCIDRs: null
  strictARP: false # for layer 2
  syncPeriod: 0s
mode: "ipvs"
`;

describe("the configuration of kube-proxy", () => {
  it.each([
    ["block form", BLOCK, "ipvs", false],
    ["set to true", BLOCK.replace("false #", "true #"), "ipvs", true],
    ["without ipvs", "kind: KubeProxyConfiguration\nmode: iptables\n", "iptables", false],
    ["without mode", "kind: KubeProxyConfiguration\nipvs:\n  strictARP: true\n", "", true],
    ["flow form", "kind: X\nipvs: {strictARP: true, syncPeriod: 0s}\nmode: ipvs\n", "ipvs", true],
    ["JSON", '{"kind":"X","mode":"ipvs","ipvs":{"strictARP":true}}', "ipvs", true],
    [
      "a strictARP elsewhere",
      "kind: X\nmode: ipvs\nother:\n  strictARP: true\nipvs:\n  syncPeriod: 0s\n",
      "ipvs",
      false,
    ],
    ["an empty mode", 'kind: X\nmode: ""\n', "", false],
  ])("is read: %s", (_name, text, mode, strictARP) => {
    expect(readProxySettings(text)).toEqual({ mode, strictARP });
  });

  it.each(["", "just words", "{broken", "- a\n- b"])("is not made up from %j", (text) => {
    expect(readProxySettings(text)).toBeNull();
  });

  it("is edited in place: one word changes", () => {
    expect(withStrictArp(BLOCK)).toBe(BLOCK.replace("strictARP: false", "strictARP: true"));
  });

  it.each([
    ["flow form", "kind: X\nipvs: {strictARP: false}\nmode: ipvs\n"],
    ["flow form without the key", "kind: X\nipvs: {syncPeriod: 0s}\nmode: ipvs\n"],
    ["empty flow form", "kind: X\nipvs: {}\nmode: ipvs\n"],
    ["null ipvs", "kind: X\nipvs: null\nmode: ipvs\n"],
    ["bare ipvs", "kind: X\nipvs:\nmode: ipvs\n"],
    ["no ipvs", "kind: X\nmode: ipvs"],
    ["four blanks", "kind: X\nipvs:\n    syncPeriod: 0s\nmode: ipvs\n"],
    ["JSON", '{"kind":"X","mode":"ipvs"}'],
    ["an empty value", "kind: X\nipvs:\n  strictARP:\nmode: ipvs\n"],
  ])("comes out true, and nothing else is lost: %s", (_name, text) => {
    const before = parse(text) as { ipvs?: object };
    const after = parse(withStrictArp(text)) as object;
    expect(readProxySettings(withStrictArp(text))).toEqual({ mode: "ipvs", strictARP: true });
    expect(after).toEqual({ ...before, ipvs: { ...before.ipvs, strictARP: true } });
  });
});

describe("small texts", () => {
  it("mapped ports are read, nonsense is left out", () => {
    expect([...parseReachableAt("80/TCP=127.0.0.1:18080, 53/UDP=127.0.0.1:1053,x,=,99999999/TCP=y:1")]).toEqual([
      ["80/TCP", "127.0.0.1:18080"],
      ["53/UDP", "127.0.0.1:1053"],
    ]);
    expect(parseReachableAt(undefined).size).toBe(0);
  });

  it.each(["", "[", "{}", "[1,null]"])("a neighbour table of %j is empty", (text) => {
    expect(parseNeighbours(text)).toEqual([]);
  });
});

describe("a list of names in a sentence", () => {
  it.each([
    ["names all of a few", ["a", "b", "c"], "a, b, c"],
    [
      "names the first of many, and says how many more",
      ["a", "b", "c", "d", "e", "f", "g"],
      "a, b, c, d, e and 2 more",
    ],
  ])("%s", (_what, names, text) => expect(listed(names)).toBe(text));
});
