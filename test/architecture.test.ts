import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { importSpecifiers } from "./support/imports.ts";

/**
 * Which folder may import which: the table of design.md section 5. `from`
 * lists repository paths, `packages` what may come from npm or Node. The most
 * specific row wins. Type imports count: a type from a forbidden layer is a dependency.
 */
const LAYERS: Readonly<Record<string, { readonly from: readonly string[]; readonly packages: readonly string[] }>> = {
  "lib/core": { from: [], packages: [] },
  "lib/api": { from: ["lib/core"], packages: ["zod"] },
  "lib/runtime": { from: ["lib/core"], packages: ["node:"] },
  "lib/kube": { from: ["lib/core", "lib/api", "lib/runtime"], packages: ["node:", "undici"] },
  "lib/kube/kubeconfig.ts": {
    from: ["lib/core", "lib/api", "lib/runtime", "lib/kube"],
    packages: ["node:", "undici", "@kubernetes/client-node"],
  },
  "lib/net": { from: ["lib/core", "lib/runtime"], packages: ["node:"] },
  "lib/net/packet/ffi.ts": { from: ["lib/core", "lib/runtime", "lib/net"], packages: ["node:", "koffi"] },
  "lib/controller": { from: ["lib/core", "lib/api", "lib/runtime", "lib/kube/port"], packages: [] },
  "lib/speaker": { from: ["lib/core", "lib/api", "lib/runtime", "lib/kube/port", "lib/net/port"], packages: [] },
  "lib/probe": { from: ["lib/core", "lib/api", "lib/runtime"], packages: ["node:", "undici"] },
  "lib/sandbox": { from: ["lib/core", "lib/api", "lib/runtime", "lib/net"], packages: ["node:", "yaml"] },
  // The data path knows no Kubernetes: a test of the claim that the edge is a plain host on the LAN.
  "lib/sandbox/edge": { from: ["lib/core", "lib/net"], packages: ["node:"] },
  "lib/sandbox/lan": { from: ["lib/core", "lib/net"], packages: ["node:"] },
  "lib/sandbox/proxy": { from: ["lib/core", "lib/net"], packages: ["node:"] },
  "lib/server": { from: ["lib/core", "lib/api", "lib/runtime", "lib/kube/port"], packages: ["zod", "server-only"] },
  "lib/client": { from: ["lib/core", "lib/api"], packages: ["react", "next", "@tanstack/react-query", "zod"] },
  components: {
    from: ["lib/core", "lib/api", "lib/client"],
    packages: ["react", "react-dom", "next", "@tanstack/react-query", "recharts"],
  },
  app: {
    from: ["lib/core", "lib/api", "lib/server", "lib/client", "components"],
    packages: ["react", "next", "@tanstack/react-query", "zod"],
  },
  "lib/main": { from: ["lib"], packages: ["*"] },
};

const ALIASES: Readonly<Record<string, string>> = JSON.parse(readFileSync("package.json", "utf8")).imports;

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(tsx?|mjs)$/.test(file))
    .map((file) => join(folder, file));
}

/** The row of the table a file belongs to: the longest that contains it. */
function layerOf(file: string): string | undefined {
  return Object.keys(LAYERS)
    .filter((layer) => file === layer || file.startsWith(`${layer}/`))
    .sort((a, b) => b.length - a.length)[0];
}

/** The repository path an import points at, or null when it is a package. */
function targetOf(specifier: string, file: string): string | null {
  if (specifier.startsWith(".")) return relative(".", join(file, "..", specifier));
  for (const [alias, path] of Object.entries(ALIASES)) {
    const prefix = alias.replace("*", "");
    if (specifier.startsWith(prefix)) return path.replace("./", "").replace("*", specifier.slice(prefix.length));
  }
  return null;
}

const within = (target: string, allowed: string) =>
  target === allowed || target.startsWith(`${allowed}/`) || target.startsWith(`${allowed}.`);
const isPackage = (specifier: string, name: string) =>
  name === "*" || specifier === name || specifier.startsWith(name.endsWith(":") ? name : `${name}/`);

const files = ["lib", "components", "app"].flatMap(sources);

describe("the import table", () => {
  it.each(Object.entries(LAYERS))("%s imports only what it may", (layer, { from, packages }) => {
    const broken = files
      .filter((file) => layerOf(file) === layer)
      .flatMap((file) =>
        importSpecifiers(readFileSync(file, "utf8"))
          .filter((specifier) => {
            const target = targetOf(specifier, file);
            if (target === null) return !packages.some((name) => isPackage(specifier, name));
            return ![layer, ...from].some((allowed) => within(target, allowed));
          })
          .map((specifier) => `${file} imports ${specifier}`),
      );
    expect(broken).toEqual([]);
  });

  it("covers every source file", () => {
    expect(files.filter((file) => layerOf(file) === undefined)).toEqual([]);
  });

  it("nobody imports main", () => {
    const importers = files
      .filter((file) => !file.startsWith("lib/main/"))
      .filter((file) =>
        importSpecifiers(readFileSync(file, "utf8")).some((specifier) =>
          targetOf(specifier, file)?.startsWith("lib/main/"),
        ),
      );
    expect(importers).toEqual([]);
  });

  it("only the verbs up, sandbox and nodes import the sandbox", () => {
    const importers = files
      .filter((file) => file.startsWith("lib/main/"))
      .filter((file) =>
        importSpecifiers(readFileSync(file, "utf8")).some((specifier) =>
          targetOf(specifier, file)?.startsWith("lib/sandbox/"),
        ),
      );
    expect(importers.filter((file) => !/\/(up|sandbox|nodes)\.ts$/.test(file))).toEqual([]);
  });
});

it("core touches no clock, no randomness, no timer, no process and no network", () => {
  const impure =
    /\b(Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|process\.|console\.|performance\.|fetch\()/;
  expect(sources("lib/core").filter((file) => impure.test(readFileSync(file, "utf8")))).toEqual([]);
});
