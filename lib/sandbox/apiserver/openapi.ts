import { createHash } from "node:crypto";
import type { Json } from "#sandbox/kinds/definition";
import { openapiOf } from "#sandbox/kinds/openapi";
import { customOpenapi } from "#sandbox/kinds/openapi-custom";
import { question } from "#sandbox/kinds/openapi-paths";
import type { Catalog } from "./catalog.ts";
import { apiVersionOf } from "./resource.ts";
import { REVIEWS } from "./review-kinds.ts";

/** The OpenAPI v3 documents (index and one per group version), made when first asked for and kept until kinds change. */
export class OpenApi {
  readonly #catalog: Catalog;
  #seen = -1;
  #texts = new Map<string, string | undefined>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** GET /openapi/v3 */
  index(versions: readonly { readonly group: string; readonly version: string }[]): Json {
    const paths: Json = {};
    for (const { group, version } of versions) {
      const text = this.document(group, version);
      if (text === undefined) continue;
      const path = group === "" ? `api/${version}` : `apis/${group}/${version}`;
      paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hashOf(text)}` };
    }
    return { paths };
  }

  /** The document of one group version as JSON text; undefined when nothing of it is served. */
  document(group: string, version: string): string | undefined {
    if (this.#seen !== this.#catalog.version) {
      this.#seen = this.#catalog.version;
      this.#texts = new Map();
    }
    const key = apiVersionOf(group, version);
    if (this.#texts.has(key)) return this.#texts.get(key);
    const built =
      this.#catalog.kinds.openapi(group, version) ??
      openapiOf(REVIEWS, group, version, question) ??
      this.#custom(group, version);
    const text = built === undefined ? undefined : JSON.stringify(built);
    this.#texts.set(key, text);
    return text;
  }

  #custom(group: string, version: string): Json | undefined {
    const resources = this.#catalog
      .all()
      .filter(({ definition, custom }) => custom && definition.group === group && definition.version === version);
    if (resources.length === 0) return undefined;
    return customOpenapi(resources.map(({ definition, custom }) => ({ definition, schema: custom?.schema ?? {} })));
  }
}

export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32).toUpperCase();
}
