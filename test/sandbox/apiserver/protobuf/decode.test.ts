import { describe, expect, it } from "vitest";
import { decodeMessage } from "#sandbox/apiserver/protobuf/decode";
import { decodeProtobuf } from "#sandbox/apiserver/protobuf/envelope";
import { messageOf } from "#sandbox/apiserver/protobuf/messages";
import { CORE_A_TO_M, CORE_N_TO_Z } from "#sandbox/apiserver/protobuf/table-core";
import * as GROUPS from "#sandbox/apiserver/protobuf/table-groups";
import type { Json, JsonValue } from "#sandbox/kinds/definition";
import { type FieldType, parseTable } from "#sandbox/kinds/schema/definitions";
import { fc } from "../../../support/random.ts";

const TABLES = { core: `${CORE_A_TO_M}${CORE_N_TO_Z}`, ...GROUPS };
const IDS = Object.entries(TABLES).flatMap(([name, text]) => [...parseTable(name.toLowerCase(), text).keys()]);

/** Bytes of a JSON value, by the encoding's rules: the other direction of what is tested. */
function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}
const tag = (number: number, wire: number) => varint(BigInt(number * 8 + wire));
const sized = (number: number, bytes: readonly number[]) => [
  ...tag(number, 2),
  ...varint(BigInt(bytes.length)),
  ...bytes,
];
const utf8 = (text: string) => [...Buffer.from(text)];

function encodeField(number: number, type: FieldType, value: JsonValue): number[] {
  if (type.kind === "list") return (value as JsonValue[]).flatMap((item) => encodeField(number, type.of, item));
  if (type.kind === "map") {
    return Object.entries(value as Json).flatMap(([key, item]) =>
      sized(number, [...sized(1, utf8(key)), ...encodeField(2, type.of, item)]),
    );
  }
  if (type.kind === "ref") {
    return sized(number, encode(type.id, type.id.endsWith("/ExtraValue") ? { items: value } : (value as Json)));
  }
  switch (type.name) {
    case "bool":
      return [...tag(number, 0), value === true ? 1 : 0];
    case "int32":
    case "int64":
      return [...tag(number, 0), ...varint(BigInt(value as number))];
    case "bytes":
      return sized(number, [...Buffer.from(value as string, "base64")]);
    case "time":
    case "microtime": {
      const micros = /\.(\d+)Z/.exec(value as string)?.[1] ?? "0";
      const seconds = BigInt(Math.floor(Date.parse(value as string) / 1000));
      return sized(number, [...tag(1, 0), ...varint(seconds), ...tag(2, 0), ...varint(BigInt(micros) * 1000n)]);
    }
    case "quantity":
      return sized(number, sized(1, utf8(value as string)));
    case "intstr":
      return typeof value === "number"
        ? sized(number, [...tag(1, 0), 0, ...tag(2, 0), ...varint(BigInt(value))])
        : sized(number, [...tag(1, 0), 1, ...sized(3, utf8(value as string))]);
    case "any":
      return sized(number, sized(1, utf8(JSON.stringify(value))));
    default:
      return sized(number, utf8(value as string));
  }
}

function encode(id: string, object: Json): number[] {
  return [...(messageOf(id) ?? [])].flatMap(([number, { name, type }]) => {
    if (name === "") return type.kind === "ref" ? sized(number, encode(type.id, object)) : [];
    return object[name] === undefined ? [] : encodeField(number, type, object[name]);
  });
}

const INT32 = fc.integer({ min: 1, max: 2 ** 31 - 1 });
function scalarArbitrary(name: string): fc.Arbitrary<JsonValue> {
  const time = fc.date({ min: new Date(0), max: new Date("9999-01-01"), noInvalidDate: true });
  switch (name) {
    case "bool":
      return fc.constant(true);
    case "int32":
      return fc.oneof(INT32, fc.integer({ min: -(2 ** 31), max: -1 }));
    case "int64":
      return fc.oneof(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), fc.integer({ max: -1 }));
    case "bytes":
      return fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString("base64"));
    case "time":
      return time.map((date) => date.toISOString().replace(/\.\d+/, ""));
    case "microtime":
      return fc
        .tuple(time, fc.integer({ min: 0, max: 999_999 }))
        .map(([date, micros]) => date.toISOString().replace(/\.\d+/, `.${String(micros).padStart(6, "0")}`));
    case "quantity":
      return fc.constantFrom("100m", "1Gi", "0", "2");
    case "intstr":
      return fc.oneof(INT32, fc.constantFrom("http", "25%"));
    case "any":
      return fc.dictionary(fc.string(), fc.integer(), { maxKeys: 3 }) as fc.Arbitrary<JsonValue>;
    default:
      return fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
  }
}

function arbitrary(type: FieldType, depth: number): fc.Arbitrary<JsonValue> {
  switch (type.kind) {
    case "scalar":
      return scalarArbitrary(type.name);
    case "list":
      return fc.array(arbitrary(type.of, depth), { minLength: 1, maxLength: 3 });
    case "map":
      return fc.dictionary(fc.oneof(fc.string(), fc.constant("__proto__")), arbitrary(type.of, depth), {
        minKeys: 1,
        maxKeys: 3,
        noNullPrototype: true,
      }) as fc.Arbitrary<JsonValue>;
    case "ref":
      if (type.id.endsWith("/ExtraValue")) return fc.array(fc.string(), { minLength: 1, maxLength: 3 });
      return message(type.id, depth + 1);
  }
}

/** Any object of a message: messages inside it are never empty, so that nothing may be left out. */
function message(id: string, depth = 0): fc.Arbitrary<Json> {
  const fields = [...(messageOf(id)?.values() ?? [])];
  const named = fields.filter(({ name, type }) => name !== "" && (depth < 4 || type.kind === "scalar"));
  const members = Object.fromEntries(named.map(({ name, type }) => [name, arbitrary(type, depth)]));
  const own = fc.record(members, { requiredKeys: named.slice(0, 1).map(({ name }) => name) });
  return own as fc.Arbitrary<Json>;
}

const ROOTS = [
  "core/Pod",
  "core/Service",
  "core/Node",
  "apps/Deployment",
  "rbac/ClusterRole",
  "discovery/EndpointSlice",
];
const REVIEWS = ["authorization/SubjectAccessReview", "meta/DeleteOptions", "policy/Eviction", "coordination/Lease"];

describe("the decoder", () => {
  it.each([...ROOTS, ...REVIEWS])("brings back every %s that was encoded", (id) => {
    fc.assert(
      fc.property(message(id), (object) => {
        const bytes = Uint8Array.from(encode(id, object));
        expect(decodeMessage(id, bytes)).toEqual(object);
      }),
      { numRuns: 60 },
    );
  });

  it("leaves out the zeros that Go always writes, and keeps those that somebody chose", () => {
    const spec = [...tag(1, 0), 0, ...tag(5, 0), 0, ...sized(4, [])];
    expect(decodeMessage("apps/DeploymentSpec", Uint8Array.from(spec))).toEqual({ replicas: 0 });
    const pod = sized(2, [...sized(1, utf8("v")), ...sized(2, sized(2, []))]);
    expect(decodeMessage("core/PodSpec", Uint8Array.from(sized(1, [...pod.slice(2)])))).toEqual({
      volumes: [{ name: "v", emptyDir: {} }],
    });
  });

  it("knows every message that a field refers to", () => {
    const refs = IDS.flatMap((id) => [...(messageOf(id)?.values() ?? [])].map(({ type }) => inner(type)));
    expect(refs.filter((id) => id !== undefined && messageOf(id) === undefined)).toEqual([]);
    expect(IDS.length).toBeGreaterThan(200);
  });

  it("turns any bytes into an object or a 400 or 415, in bounded time", () => {
    const pods = fc
      .sample(message("core/Pod"), 30)
      .map((object) => sized(2, encode("core/Pod", object).slice(0, 3_000)));
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => [...bytes]),
      fc.constantFrom(...pods),
    );
    const kinds = fc.constantFrom("Pod", "Service", "DeleteOptions", "Node", "Gadget");
    const change = fc.record({ at: fc.nat(), by: fc.integer({ min: 0, max: 255 }), cut: fc.option(fc.nat()) });
    const begin = (kind: string) => [
      0x6b,
      0x38,
      0x73,
      0,
      ...sized(1, [...sized(1, utf8("v1")), ...sized(2, utf8(kind))]),
    ];
    fc.assert(
      fc.property(kinds, body, change, (kind, raw, { at, by, cut }) => {
        const bytes = [...begin(kind), ...raw];
        bytes[at % bytes.length] = by;
        const end = cut === null ? bytes.length : cut % bytes.length;
        try {
          expect(decodeProtobuf(Uint8Array.from(bytes.slice(0, end)))).toBeTypeOf("object");
        } catch (thrown) {
          expect((thrown as { status?: Json }).status?.code).toBeOneOf([400, 415]);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it("refuses a number that does not end", () => {
    expect(() => decodeMessage("core/PodSpec", new Uint8Array(12).fill(255))).toThrow("longer than ten bytes");
  });

  it("refuses a small body that would become a giant object", () => {
    const bytes = new Uint8Array(2_000_000);
    for (let i = 0; i < bytes.length; i += 2) bytes.set([10, 0], i);
    expect(() => decodeMessage("core/PodSpec", bytes)).toThrow("more than 250000 values");
  });
});

function inner(type: FieldType): string | undefined {
  if (type.kind === "ref") return type.id;
  return type.kind === "scalar" ? undefined : inner(type.of);
}
