import type { AdmissionContext, Json, KindDefinition } from "#sandbox/kinds/definition";
import { metaOf } from "#sandbox/kinds/json";
import { builtinKinds } from "#sandbox/kinds/registry";

export const registry = builtinKinds();

export function kindOf(name: string): KindDefinition {
  const found = registry.all.find((kind) => kind.kind === name);
  if (found === undefined) throw new Error(`no kind ${name}`);
  return found;
}

const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";
let state = 1;

/** Admission over these Services, with a repeatable stream of random names. */
export function contextOf(services: readonly Json[] = []): AdmissionContext {
  return {
    now: 0,
    holders: (_group, plural, of) => {
      const found = new Map<string, Set<string>>();
      for (const service of plural === "services" ? services : []) {
        const { namespace, name } = metaOf(service);
        for (const value of of(service)) {
          found.set(value, (found.get(value) ?? new Set()).add(`${namespace}/${name}`));
        }
      }
      return found;
    },
    get: (_group, plural) => (plural === "serviceaccounts" ? { metadata: { name: "default" } } : undefined),
    randomName: (length) =>
      Array.from({ length }, () => {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        return ALPHABET[(state >>> 8) % ALPHABET.length];
      }).join(""),
  };
}

/** What the server does with a write: defaults, validation, allocation; the causes instead when it is refused. */
export function write(
  name: string,
  object: Json,
  old?: Json,
  services: readonly Json[] = [],
): Json | readonly string[] {
  const kind = kindOf(name);
  const next = kind.defaults(object);
  const causes = kind.validate(next, old);
  if (causes.length > 0) return causes.map((cause) => `${cause.field}: ${cause.message}`);
  return kind.admit?.(next, old, contextOf(services)) ?? next;
}

export function accepted(name: string, object: Json, old?: Json, services: readonly Json[] = []): Json {
  const result = write(name, object, old, services);
  if (Array.isArray(result)) throw new Error(result.join("\n"));
  return result as Json;
}
