import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { KubeObject } from "#api/kubernetes/objects";
import { Fault } from "#core/errors";
import { REPOSITORY } from "./children.ts";

/** Every object of the YAML files of a folder below deploy/, files by name, documents in order. */
export function readManifests(folder: string): readonly KubeObject[] {
  const path = join(REPOSITORY, "deploy", folder);
  const files = readdirSync(path)
    .filter((name) => /\.ya?ml$/.test(name))
    .sort();
  return files.flatMap((name) => parseManifest(readFileSync(join(path, name), "utf8"), join("deploy", folder, name)));
}

/** Throws `Fault invalid` naming the file and line of what is not YAML or not a Kubernetes object. */
function parseManifest(text: string, source: string): readonly KubeObject[] {
  return parseAllDocuments(text).flatMap((document) => {
    const problem = document.errors[0];
    if (problem !== undefined) throw new Fault("invalid", `${source}: ${problem.message.split("\n")[0]}`);
    const value: unknown = document.toJS();
    if (value === null || value === undefined) return [];
    if (typeof value !== "object" || !("kind" in value) || !("metadata" in value)) {
      throw new Fault("invalid", `${source}: a document is no Kubernetes object (kind and metadata are needed)`);
    }
    return [value as KubeObject];
  });
}
