/** JSON as it travels; an undefined member is the same as an absent one. */
export type JsonValue = string | number | boolean | null | JsonValue[] | Json | undefined;
/** A JSON object, treated as immutable: every transformation returns a new one. */
export type Json = { [key: string]: JsonValue };

/** One reason why an object is refused; becomes `status.details.causes[]` of a Kubernetes Status 422. */
export interface Cause {
  readonly reason:
    | "FieldValueInvalid"
    | "FieldValueRequired"
    | "FieldValueNotSupported"
    | "FieldValueForbidden"
    | "FieldValueDuplicate"
    | "FieldValueTypeInvalid";
  readonly field: string;
  /** The server's words without the field, as in `Invalid value: "x": must be …`. */
  readonly message: string;
}

/** One column of the server's Table output (meta.k8s.io/v1 Table); priority 1 columns show with `-o wide`. */
export interface Column {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description: string;
  readonly priority: number;
  /** The cell for this object; `now` in milliseconds since the epoch for ages. */
  value(object: Json, now: number): string | number | boolean | null;
}

/** What admission may look at besides the object. */
export interface AdmissionContext {
  readonly now: number;
  /**
   * Which objects of a kind have what: keys ("namespace/name" or "name") by the values that `of` finds in each. Kept
   * current; only the first use of an `of` costs a pass over all.
   */
  holders(
    group: string,
    plural: string,
    of: (object: Json) => readonly string[],
  ): ReadonlyMap<string, ReadonlySet<string>>;
  get(group: string, plural: string, name: string, namespace?: string): Json | undefined;
  /** Random characters of Kubernetes' safe alphabet. */
  randomName(length: number): string;
}

/** Everything the API server engine needs to know about one kind. */
export interface KindDefinition {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Of a built-in kind: its table of fields ("core/Service", see schema/definitions.ts). */
  readonly schemaId?: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** "status", "scale", "log", "binding", "eviction", "token", "finalize". */
  readonly subresources: readonly string[];
  /** Whether metadata.generation is kept (counts changes of anything but metadata and status). */
  readonly hasGeneration: boolean;
  readonly columns: readonly Column[];
  /** Strategic merge: dotted path pattern ("spec.ports", "spec.containers.*.env") to merge key; "" = set of primitives. */
  readonly mergeKeys: Readonly<Record<string, string>>;
  /** Fills in what the server fills in; never changes what is set. */
  defaults(object: Json): Json;
  /** Allocation and injection (ClusterIP, nodePort, service account); throws Fault invalid. */
  admit?(object: Json, old: Json | undefined, context: AdmissionContext): Json;
  /** Empty when the object is acceptable. `old` is set on updates. */
  validate(object: Json, old: Json | undefined): readonly Cause[];
}

/** All kinds that are compiled in (CRDs come on top of them). */
export interface KindRegistry {
  readonly all: readonly KindDefinition[];
  /** OpenAPI v3 document of one group version, undefined when nothing of it is built in. */
  openapi(group: string, version: string): Json | undefined;
}
