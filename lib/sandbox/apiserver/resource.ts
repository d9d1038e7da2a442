import type { Json, KindDefinition } from "#sandbox/kinds/definition";
import { textAt } from "./json.ts";

/** One served kind in one version, and where its objects are kept. */
export interface Resource {
  readonly definition: KindDefinition;
  /** Store bucket; versions of one custom resource share it. */
  readonly bucket: string;
  readonly listKind: string;
  readonly apiVersion: string;
  /** The apiVersion that objects are stored under. */
  readonly storedAs: string;
  /** Set when a CustomResourceDefinition made it. */
  readonly custom?: CustomPart;
}

interface CustomPart {
  /** Name of the CustomResourceDefinition. */
  readonly name: string;
  /** False once the definition is being deleted: nothing new may be created. */
  readonly open: boolean;
  readonly schema: Json;
  /** Fields ("spec.color") that field selectors may name beside the usual ones. */
  readonly selectable: readonly string[];
  /** JSON paths of the scale subresource (".spec.replicas"). */
  readonly scale?: { readonly spec: string; readonly status: string; readonly selector: string };
}

export function apiVersionOf(group: string, version: string): string {
  return group === "" ? version : `${group}/${version}`;
}

export function bucketOf(group: string, plural: string): string {
  return `${group}/${plural}`;
}

export function builtinResource(definition: KindDefinition): Resource {
  const { group, version, kind, plural } = definition;
  const apiVersion = apiVersionOf(group, version);
  return {
    definition,
    bucket: bucketOf(group, plural),
    listKind: `${kind}List`,
    apiVersion,
    storedAs: apiVersion,
  };
}

export function keyOf(namespace: string, name: string): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}

/** `object` as this version shows it; conversion between versions is `None`, so only the name of the version differs. */
export function inVersion(resource: Resource, object: Json): Json {
  return textAt(object, "apiVersion") === resource.apiVersion ? object : { ...object, apiVersion: resource.apiVersion };
}

export const CRD_BUCKET = bucketOf("apiextensions.k8s.io", "customresourcedefinitions");
export const NAMESPACE_BUCKET = bucketOf("", "namespaces");
