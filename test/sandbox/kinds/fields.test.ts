import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as client from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { isObject } from "#sandbox/kinds/json";
import { definitionOf, type FieldType } from "#sandbox/kinds/schema/definitions";
import { misfitOf, unknownFields } from "#sandbox/kinds/schema/unknown";
import { registry } from "./support.ts";

interface Attribute {
  readonly baseName: string;
  readonly type: string;
}
interface Model {
  getAttributeTypeMap(): readonly Attribute[];
}

const isModel = (value: unknown): value is Model => typeof value === "function" && "getAttributeTypeMap" in value;
const models = new Map<string, unknown>(Object.entries(client));

function attributesOf(model: string): readonly Attribute[] {
  const found = models.get(model) ?? models.get(`Core${model}`);
  if (!isModel(found)) throw new Error(`client-node has no ${model}`);
  return found.getAttributeTypeMap();
}

function innerOf(type: FieldType): FieldType {
  return type.kind === "list" || type.kind === "map" ? innerOf(type.of) : type;
}

/** Fields of the client's type, or of what it refers to, that our table does not have. */
function missing(id: string, model: string, seen = new Set<string>()): string[] {
  if (seen.has(id)) return [];
  seen.add(id);
  return attributesOf(model).flatMap(({ baseName, type }) => {
    const field = definitionOf(id)?.fields.get(baseName);
    if (field === undefined) return [`${id}.${baseName}`];
    const inner = innerOf(field.type);
    const refers = /[A-Za-z0-9]*V\d[A-Za-z0-9]+/.exec(type)?.[0];
    return inner.kind === "ref" && refers !== undefined ? missing(inner.id, refers, seen) : [];
  });
}

describe("no field of a served kind is called unknown", () => {
  it.each(registry.all.map((kind) => [kind.kind, kind.schemaId ?? ""]))(
    "%s has every field of the official client",
    (kind, id) => {
      expect(missing(id, `V1${kind}`)).toEqual([]);
    },
  );

  const root = join(import.meta.dirname, "../../..");
  const files = ["deploy", "test/story/kubectl/manifests"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => /\.ya?ml$/.test(file) && !file.includes("helm"))
      .map((file) => join(folder, file)),
  );
  // What these two are there for is in the transcripts.
  it.each(files.filter((file) => !/typo-service|bad-pool/.test(file)))("%s", (file) => {
    for (const document of parseAllDocuments(readFileSync(join(root, file), "utf8"))) {
      const object: unknown = document.toJSON();
      if (!isObject(object)) continue;
      const found = registry.all.find(({ kind, group, version }) => {
        const apiVersion = group === "" ? version : `${group}/${version}`;
        return object.kind === kind && object.apiVersion === apiVersion;
      });
      if (found?.schemaId === undefined) continue;
      expect([unknownFields(found.schemaId, object), misfitOf(found.schemaId, object)]).toEqual([[], undefined]);
    }
  });
});
