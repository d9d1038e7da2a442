import type { Json } from "#sandbox/kinds/definition";

/** As it is sent; clients ask for it with `@v1.0` too, which is no media type. */
export const OPENAPI_V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

export function acceptsOpenapiV2Protobuf(accept: string): boolean {
  return accept.includes("proto-openapi.spec.v2");
}

const DOCUMENT = {
  swagger: "2.0",
  info: { title: "Kubernetes: the schemas are at /openapi/v3", version: "v1.36.2" },
} as const;

/** A valid OpenAPI v2 document that describes nothing. */
export function openapiV2(): Json {
  return { ...DOCUMENT, paths: {}, definitions: {} };
}

/**
 * The same as protobuf (gnostic openapi.v2.Document). kubectl reads it before it applies a `kind: List`, whatever v3
 * offers, and leaves the items to the server when it finds no schema in it.
 */
export function openapiV2Protobuf(): string {
  const { title, version } = DOCUMENT.info;
  const info = field(1, title) + field(2, version);
  return field(1, DOCUMENT.swagger) + field(2, info);
}

// Lengths stay below 128 and the text is ASCII, so that every byte is a character.
function field(number: number, text: string): string {
  return String.fromCharCode((number << 3) | 2, text.length) + text;
}
