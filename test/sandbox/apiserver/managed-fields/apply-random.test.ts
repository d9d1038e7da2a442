import { describe, expect, it } from "vitest";
import { applyFields } from "#sandbox/apiserver/managed-fields/apply";
import { builtinShape } from "#sandbox/apiserver/managed-fields/builtin-shapes";
import { compare, fieldsOf, isSame } from "#sandbox/apiserver/managed-fields/compare";
import { difference, type FieldSet, pathsOf, union } from "#sandbox/apiserver/managed-fields/field-set";
import { manageable } from "#sandbox/apiserver/managed-fields/track";
import type { Json } from "#sandbox/kinds/definition";
import { builtinKinds } from "#sandbox/kinds/registry";
import { fc } from "../../../support/random.ts";
import { Subject } from "./subject.ts";

const DEPLOYMENT = builtinShape("apps/Deployment");

const labels = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.constantFrom("1", "2"), { noNullPrototype: true });
const container = fc.record(
  { name: fc.constantFrom("x", "y", "z"), image: fc.constantFrom("i", "j") },
  { requiredKeys: ["name"], noNullPrototype: true },
);
const config = fc
  .record(
    {
      metadata: fc.record({ name: fc.constantFrom("x"), labels }, { requiredKeys: ["name"], noNullPrototype: true }),
      spec: fc.record(
        {
          replicas: fc.integer({ min: 0, max: 3 }),
          paused: fc.boolean(),
          template: fc.record(
            {
              spec: fc.record(
                {
                  containers: fc
                    .array(container, { maxLength: 3 })
                    .map((all) => [...new Map(all.map((one) => [one.name, one])).values()]),
                },
                { noNullPrototype: true },
              ),
            },
            { noNullPrototype: true },
          ),
        },
        { requiredKeys: [], noNullPrototype: true },
      ),
    },
    { requiredKeys: ["metadata"], noNullPrototype: true },
  )
  .map((value) => value as unknown as Json);

const content = (object: Json = {}) => {
  const { managedFields: _managed, ...metadata } = object.metadata as Json;
  return { ...object, metadata };
};
const covered = (subject: Subject) =>
  subject.managers().reduce<FieldSet | undefined>((all, { fields }) => union(all, fields), undefined);

describe("whatever managers apply", () => {
  it("applying the same again changes nothing, the managed fields included", () => {
    fc.assert(
      fc.property(config, config, (first, second) => {
        const subject = new Subject(DEPLOYMENT).apply("a", first).apply("b", second, true);
        const before = subject.object;
        expect(subject.apply("b", second).object).toEqual(before);
      }),
    );
  });

  it("the object has what was applied last, and its own fields are all somebody's", () => {
    fc.assert(
      fc.property(config, config, (first, second) => {
        const subject = new Subject(DEPLOYMENT).apply("a", first).apply("b", second, true);
        const after = content(subject.object);
        const { added, modified } = compare(after, { ...after, ...merged(after, second) }, DEPLOYMENT);
        expect([added, modified]).toEqual([undefined, undefined]);
        const fields = manageable(fieldsOf(after, DEPLOYMENT));
        expect(pathsOf(difference(fields, covered(subject)))).toEqual([]);
      }),
    );
  });

  it("a manager alone has exactly what it applied, whatever it applied before", () => {
    fc.assert(
      fc.property(fc.array(config, { minLength: 1, maxLength: 4 }), (configs) => {
        const subject = new Subject(DEPLOYMENT);
        for (const one of configs) subject.apply("a", one);
        const alone = new Subject(DEPLOYMENT).apply("a", configs.at(-1) ?? {});
        expect(isSame(compare(pruned(content(subject.object)), pruned(content(alone.object)), DEPLOYMENT))).toBe(true);
      }),
    );
  });

  it("two managers that say nothing of the same field never conflict, in whatever order", () => {
    fc.assert(
      fc.property(
        labels,
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 9 })), { maxLength: 6 }),
        (mine, turns) => {
          const subject = new Subject(DEPLOYMENT);
          for (const [left, value] of turns) {
            if (left) subject.apply("a", { metadata: { name: "x", labels: mine } });
            else subject.apply("b", { spec: { replicas: value } });
          }
        },
      ),
    );
  });

  it("no sequence of objects of any built-in kind makes it throw anything but a refusal", () => {
    const shapes = builtinKinds().all.map((kind) => builtinShape(kind.schemaId ?? ""));
    const members = fc.dictionary(
      fc.constantFrom("metadata", "spec", "status", "data", "rules", "subjects", "webhooks"),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...shapes),
        fc.array(fc.tuple(fc.boolean(), members), { maxLength: 5 }),
        (shape, steps) => {
          const subject = new Subject(shape);
          for (const [applies, value] of steps) {
            const object = JSON.parse(JSON.stringify({ ...value, metadata: { name: "x" } })) as Json;
            if (applies) subject.apply("a", object, true);
            else subject.update("b", object);
            for (const manager of subject.managers()) expect(pathsOf(manager.fields).length).toBeGreaterThan(0);
          }
        },
      ),
    );
  });
});

/** Without maps that lost their last member: an applier alone never sees the difference. */
function pruned(object: Json): Json {
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== "object" || value === null) return value;
    const kept = Object.entries(value).map(([key, member]) => [key, walk(member)] as const);
    return Object.fromEntries(kept.filter(([, member]) => !isEmpty(member)));
  };
  return walk(object) as Json;
}

const isEmpty = (value: unknown) => typeof value === "object" && value !== null && Object.keys(value).length === 0;

/** `second` over `after`, members of maps and items of lists by name. */
function merged(after: Json, second: Json): Json {
  return applyFields({
    live: after,
    applied: second,
    shape: DEPLOYMENT,
    writer: { manager: "z", subresource: "", apiVersion: "v1", now: "" },
    force: true,
    mayOwn: () => true,
  }).object;
}
