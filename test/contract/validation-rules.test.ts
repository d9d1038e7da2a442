import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { ApiClient } from "../support/api-server.ts";
import { onBothApis } from "../support/both-apis.ts";

onBothApis((start) => {
  const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const FOLDER = join(import.meta.dirname, "../../deploy/crds");

  interface Rule {
    /** "bgppeers v1beta2 spec.connectTime: message" */
    readonly id: string;
    readonly message: string;
  }

  // A definition is walked whatever it holds.
  // biome-ignore lint/suspicious/noExplicitAny: YAML of any shape
  type Yaml = any;

  const DEFINITIONS: readonly Yaml[] = readdirSync(FOLDER).map((file) =>
    parse(readFileSync(join(FOLDER, file), "utf8")),
  );

  const RULES: readonly Rule[] = DEFINITIONS.flatMap((crd) =>
    crd.spec.versions.flatMap((version: Yaml) =>
      rulesBelow(version.schema.openAPIV3Schema, `${crd.spec.names.plural} ${version.name} `),
    ),
  );

  function rulesBelow(schema: Yaml, path: string): readonly Rule[] {
    if (typeof schema !== "object" || schema === null) return [];
    const own = (schema["x-kubernetes-validations"] ?? []).map(({ message }: { message: string }) => ({
      id: `${path}: ${message}`,
      message,
    }));
    const dot = path.endsWith(" ") ? "" : ".";
    return [
      ...own,
      ...Object.entries(schema.properties ?? {}).flatMap(([name, part]) => rulesBelow(part, `${path}${dot}${name}`)),
      ...rulesBelow(schema.items, `${path}[]`),
      ...rulesBelow(schema.additionalProperties, `${path}{}`),
    ];
  }

  /** What is created, and what it is changed to when the rule is about a change. */
  interface Write {
    readonly spec?: object;
    readonly status?: object;
    readonly change?: { readonly spec?: object; readonly status?: object };
  }

  const PEER = { myASN: 64512, peerASN: 64513, peerAddress: "192.0.2.1" };
  const IMMUTABLE = "Value is immutable";
  const STATUS = { node: "n1", serviceName: "web", serviceNamespace: "shop" };

  function immutable(plural: string, field: keyof typeof STATUS): readonly (readonly [string, Write, Write])[] {
    const accept = { status: STATUS, change: { status: { ...STATUS } } };
    const reject = { status: STATUS, change: { status: { ...STATUS, [field]: "other" } } };
    return [[`${plural} v1beta1 status.${field}: ${IMMUTABLE}`, accept, reject]];
  }

  /** Per rule: a write it accepts and one it rejects. */
  const ROWS: readonly (readonly [rule: string, accept: Write, reject: Write])[] = [
    [
      "bgpadvertisements v1beta1 spec: serviceSelectors can only be used with aggregationLength 32 and aggregationLengthV6 128",
      { spec: { serviceSelectors: [{ matchLabels: { a: "b" } }] } },
      { spec: { aggregationLength: 24, serviceSelectors: [{ matchLabels: { a: "b" } }] } },
    ],
    [
      "bgppeers v1beta2 spec.connectTime: connect time should be between 1 seconds to 65535",
      { spec: { ...PEER, connectTime: "65535s" } },
      { spec: { ...PEER, connectTime: "18h13m" } },
    ],
    [
      "bgppeers v1beta2 spec.connectTime: connect time should contain a whole number of seconds",
      { spec: { ...PEER, connectTime: "1m30s" } },
      { spec: { ...PEER, connectTime: "1500ms" } },
    ],
    [
      "bgppeers v1beta2 spec.enableGracefulRestart: EnableGracefulRestart cannot be changed after creation",
      {
        spec: { ...PEER, enableGracefulRestart: true },
        change: { spec: { ...PEER, enableGracefulRestart: true, myASN: 1 } },
      },
      { spec: { ...PEER, enableGracefulRestart: true }, change: { spec: { ...PEER, enableGracefulRestart: false } } },
    ],
    ...["servicel2statuses", "servicebgpstatuses"].flatMap((plural) => [
      ...immutable(plural, "node"),
      ...immutable(plural, "serviceName"),
      ...immutable(plural, "serviceNamespace"),
    ]),
  ];

  let api: ApiClient;
  let made = 0;
  beforeAll(async () => {
    api = await start();
    for (const crd of DEFINITIONS) expect((await api.send("POST", CRDS, crd)).code).toBe(201);
  });
  afterAll(() => api.close());

  const MERGE = { type: "application/merge-patch+json" };

  /** The last reply. */
  async function write(rule: string, { spec, status, change }: Write) {
    const [plural, version] = rule.split(" ");
    const crd = DEFINITIONS.find((one) => one.spec.names.plural === plural);
    const path = `/apis/${crd.spec.group}/${version}/namespaces/default/${plural}`;
    const name = `o-${++made}`;
    let reply = await api.send("POST", path, {
      metadata: { name },
      ...(spec === undefined ? {} : { spec }),
    });
    if (status !== undefined) reply = await api.send("PATCH", `${path}/${name}/status`, { status }, MERGE);
    if (change === undefined) return reply;
    expect(reply.code, reply.text).toBeLessThan(300);
    if (change.status !== undefined) return api.send("PATCH", `${path}/${name}/status`, change, MERGE);
    return api.send("PATCH", `${path}/${name}`, change, MERGE);
  }

  describe("every x-kubernetes-validations rule of deploy/crds", () => {
    it("has an accept and a reject row here", () => {
      expect(ROWS.map(([rule]) => rule).toSorted()).toEqual(RULES.map(({ id }) => id).toSorted());
    });

    it.each(ROWS)("%s", async (rule, accept, reject) => {
      const good = await write(rule, accept);
      expect(good.code, good.text).toBeLessThan(300);
      const bad = await write(rule, reject);
      expect(bad.code, bad.text).toBe(422);
      const message = RULES.find(({ id }) => id === rule)?.message;
      const field = rule.split(" ")[2]?.replace(/:$/, "");
      expect(bad.body.details.causes).toContainEqual(
        expect.objectContaining({
          field,
          message: expect.stringMatching(new RegExp(`^Invalid value: "\\w+": ${message}$`)),
        }),
      );
    });
  });

  describe("rules of any definition", () => {
    const GROUP = "example.org";
    const definition = (plural: string, spec: object) => ({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `${plural}.${GROUP}` },
      spec: {
        group: GROUP,
        scope: "Namespaced",
        names: { plural, kind: plural.charAt(0).toUpperCase() + plural.slice(1, -1) },
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: "object", properties: { spec } } },
          },
        ],
      },
    });
    const rule = (text: string, more: object = {}) => ({ "x-kubernetes-validations": [{ rule: text, ...more }] });
    const int = { type: "integer" };

    async function define(plural: string, spec: object) {
      const reply = await api.send("POST", CRDS, definition(plural, spec));
      expect(reply.code, reply.text).toBe(201);
      return `/apis/${GROUP}/v1/namespaces/default/${plural}`;
    }

    it("say which object, in the message, the expression's message or the rule itself, under the reason and field asked for", async () => {
      const path = await define("sayers", {
        type: "object",
        properties: { a: int, b: int, c: int, d: int, list: { type: "array", items: { ...int, ...rule("self > 0") } } },
        "x-kubernetes-validations": [
          { rule: "!has(self.a) || self.a < 5" },
          {
            rule: "!has(self.b) || self.b < 5",
            messageExpression: "'b is ' + string(self.b)",
            reason: "FieldValueForbidden",
            fieldPath: ".b",
          },
          { rule: "!has(self.c) || self.c < 5", message: "c is big", messageExpression: "'at ' + string(1 / 0)" },
          { rule: "!has(self.d) || 1 / self.d == 1" },
        ],
      });
      const said = async (spec: object) => {
        const reply = await api.send("POST", path, { metadata: { generateName: "s-" }, spec });
        return reply.code === 422 ? reply.body.details.causes : reply.code;
      };
      expect(await said({ a: 1, b: 1, c: 1, d: 1, list: [1] })).toBe(201);
      expect(await said({ a: 9, b: 9, c: 9, d: 0, list: [1, 0] })).toEqual([
        {
          reason: "FieldValueInvalid",
          message: 'Invalid value: "object": failed rule: !has(self.a) || self.a < 5',
          field: "spec",
        },
        { reason: "FieldValueForbidden", message: "Forbidden: b is 9", field: "spec.b" },
        { reason: "FieldValueInvalid", message: 'Invalid value: "object": c is big', field: "spec" },
        {
          reason: "FieldValueInvalid",
          message: 'Invalid value: "object": division by zero evaluating rule: !has(self.d) || 1 / self.d == 1',
          field: "spec",
        },
        {
          reason: "FieldValueInvalid",
          message: 'Invalid value: "integer": failed rule: self > 0',
          field: "spec.list[1]",
        },
      ]);
      expect(await said({ a: "9", b: 9 })).toEqual([
        expect.objectContaining({ reason: "FieldValueTypeInvalid", field: "spec.a" }),
        expect.objectContaining({
          field: "<nil>",
          message: expect.stringContaining("some validation rules were not checked"),
        }),
      ]);
    });

    it("about a change run on updates only, and for items of a map list only against the item of the same key", async () => {
      const path = await define("changers", {
        type: "object",
        properties: {
          names: {
            type: "array",
            "x-kubernetes-list-type": "set",
            items: { type: "string" },
            ...rule("self == oldSelf", { message: "same names" }),
          },
          grow: { ...int, ...rule("self >= oldSelf", { message: "may only grow" }) },
          late: { ...int, ...rule("!oldSelf.hasValue() || self == oldSelf.value()", { optionalOldSelf: true }) },
          parts: {
            type: "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            items: {
              type: "object",
              required: ["name"],
              properties: {
                name: { type: "string" },
                size: { ...int, ...rule("self == oldSelf", { message: "fixed" }) },
              },
            },
          },
        },
      });
      const spec = { names: ["x", "y"], grow: 2, late: 1, parts: [{ name: "a", size: 1 }] };
      expect((await api.send("POST", path, { metadata: { name: "c" }, spec })).code).toBe(201);
      const patch = (change: object) => api.send("PATCH", `${path}/c`, { spec: change }, MERGE);
      expect((await patch({ grow: 1 })).body.message).toContain('spec.grow: Invalid value: "integer": may only grow');
      expect((await patch({ late: 2 })).code).toBe(422);
      expect((await patch({ names: ["y", "x"] })).code).toBe(200);
      expect((await patch({ names: ["y", "z"] })).body.message).toContain("same names");
      expect(
        (
          await patch({
            grow: 3,
            parts: [
              { name: "b", size: 7 },
              { name: "a", size: 1 },
            ],
          })
        ).code,
      ).toBe(200);
      expect((await patch({ parts: [{ name: "b", size: 8 }] })).body.message).toContain("spec.parts[0].size");
    });

    it("that come later do not block what was there before, as long as it stays as it is", async () => {
      const path = await define("ratchets", { type: "object", properties: { a: int, b: int } });
      expect((await api.send("POST", path, { metadata: { name: "r" }, spec: { a: 9 } })).code).toBe(201);
      const stricter = definition("ratchets", {
        type: "object",
        properties: { a: { ...int, ...rule("self < 5") }, b: int },
      });
      expect((await api.send("PATCH", `${CRDS}/ratchets.${GROUP}`, stricter, MERGE)).code).toBe(200);
      expect((await api.send("PATCH", `${path}/r`, { spec: { b: 1 } }, MERGE)).code).toBe(200);
      expect((await api.send("PATCH", `${path}/r`, { spec: { a: 8 } }, MERGE)).code).toBe(422);
    });

    const bad: readonly (readonly [string, string, string])[] = [
      [
        "cannot be read",
        "self.a ==",
        "compilation failed: ERROR: <input>:1:10: Syntax error: mismatched input '<EOF>'",
      ],
      ["name an unknown field", "self.zzz == 1", "undefined field 'zzz'"],
      ["name an unknown variable", "other == 1", "undeclared reference to 'other' (in container '')"],
      ["are no question", "'yes'", "cel expression must evaluate to a bool"],
      ["are empty", "", "rule is not specified"],
    ];
    it.each(bad)("that %s make the definition be refused", async (_name, text, words) => {
      const body = definition("refuseds", { type: "object", properties: { a: int }, ...rule(text) });
      const reply = await api.send("POST", CRDS, body);
      expect(reply.code).toBe(422);
      expect(reply.body.details.causes).toEqual([
        {
          reason: expect.stringMatching(/FieldValue(Invalid|Required)/),
          field: "spec.versions[0].schema.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule",
          message: expect.stringContaining(words),
        },
      ]);
    });

    it("that take too long end the request in words, and no other", async () => {
      const ten = "[1,2,3,4,5,6,7,8,9,10]";
      const long = `${ten}.all(a, ${ten}.all(b, ${ten}.all(c, ${ten}.all(d, ${ten}.all(e, ${ten}.all(f, ${ten}.all(g, true)))))))`;
      const path = await define("burners", { type: "object", ...rule(long) });
      const reply = await api.send("POST", path, { metadata: { name: "b" }, spec: {} });
      expect(reply.body.message).toContain("no further validation rules will be run due to call cost exceeds limit");
    });
  });
});
