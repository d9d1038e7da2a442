/**
 * Takes the screenshots of the repository: a sandbox with some life in it,
 * every page in both themes, 1440 × 900, into public/screenshots (or the
 * folder that is named). Takes about two minutes.
 */
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { stringify } from "yaml";
import type { Deployment } from "#api/kubernetes/workloads";
import { readManifests } from "#main/manifests";
import { type Berth, berthProcesses, removeDir, scratchDir, startBerth } from "./support/berth.ts";
import { launchBrowser, openPage, type Theme } from "./support/browser.ts";

const INTO = process.argv[2] ?? "public/screenshots";
/** Just below the two minutes at which the chart's window grows again. */
const FULL_MS = 116_000;
const THEMES: readonly Theme[] = ["light", "dark"];

/** What the demo runs, under another name and namespace. */
function workload(namespace: string, name: string, replicas: number): object {
  const demo = readManifests("demo").find(({ kind }) => kind === "Deployment");
  const labels = { app: name };
  const { template, ...spec } = (demo as Deployment).spec ?? {};
  return {
    ...demo,
    metadata: { name, namespace, labels },
    spec: { ...spec, replicas, selector: { matchLabels: labels }, template: { ...template, metadata: { labels } } },
  };
}

function service(
  namespace: string,
  name: string,
  app: string,
  wish: { readonly pool?: string; readonly address?: string; readonly port?: number } | null,
): object {
  const annotations = {
    ...(wish?.pool === undefined ? {} : { "metallb.io/address-pool": wish.pool }),
    ...(wish?.address === undefined ? {} : { "metallb.io/loadBalancerIPs": wish.address }),
  };
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace, annotations },
    spec: {
      type: wish === null ? "ClusterIP" : "LoadBalancer",
      selector: { app },
      ports: [{ port: wish?.port ?? 80, targetPort: 80 }],
    },
  };
}

const metallb = (kind: string, name: string, spec: object): object => ({
  apiVersion: "metallb.io/v1beta1",
  kind,
  metadata: { name, namespace: "metallb-system" },
  spec,
});

const STATE: readonly object[] = [
  ...["shop", "data"].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })),
  metallb("IPAddressPool", "staging", { addresses: ["127.77.20.0/28"], autoAssign: false }),
  metallb("IPAddressPool", "legacy", { addresses: ["127.77.30.8/30"], autoAssign: false }),
  metallb("L2Advertisement", "lab", { ipAddressPools: ["staging", "legacy"] }),
  workload("shop", "storefront", 3),
  workload("data", "search", 2),
  service("shop", "storefront", "storefront", {}),
  service("shop", "checkout", "storefront", { port: 8443 }),
  service("shop", "images", "storefront", { pool: "staging" }),
  service("shop", "preview", "storefront", { pool: "staging", address: "127.77.20.9" }),
  service("data", "search", "search", { pool: "legacy" }),
  service("data", "search-admin", "search", { pool: "legacy", port: 9200 }),
  service("data", "metrics", "search", { pool: "legacy" }),
  service("data", "backup", "search", { pool: "legacy" }),
  service("data", "kafka-ext", "search", { pool: "prod" }),
  service("data", "search-internal", "search", null),
  service("shop", "cart", "storefront", null),
];

async function makeState(berth: Berth): Promise<void> {
  const file = join(berth.dataDir, "shots.yaml");
  writeFileSync(file, STATE.map((object) => stringify(object)).join("---\n"));
  await berth.kubectl("apply", "-f", file);
  await berth.kubectl("rollout", "status", "deployment", "storefront", "-n", "shop", "--timeout=25s");
  await berth.kubectl("rollout", "status", "deployment", "search", "-n", "data", "--timeout=25s");
}

/** Traffic with a move and a scale in it. Resolves with the time of its start. */
async function makeTraffic(berth: Berth): Promise<number> {
  const startedAt = performance.now();
  const response = await fetch(`${berth.url}/api/probes`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ service: "default/nginx", rate: 20 }),
  });
  if (!response.ok) throw new Error(`the probe was refused: ${await response.text()}`);
  await sleep(28_000);
  const [node] = (
    await berth.kubectl(
      "get",
      "servicel2statuses",
      "-n",
      "metallb-system",
      "-l",
      "metallb.io/service-name=nginx",
      "-o",
      "jsonpath={.items[*].status.node}",
    )
  ).split(" ");
  for (const pid of berthProcesses(berth.dataDir, "speaker", `METALLB_NODE_NAME=${node}`)) process.kill(pid, "SIGKILL");
  await sleep(14_000);
  await berth.kubectl("scale", "deployment", "nginx-app", "--replicas=4");
  await sleep(18_000);
  return startedAt;
}

const PAGES: readonly {
  readonly name: string;
  readonly path: string;
  readonly ready: (page: Page) => Promise<void>;
}[] = [
  { name: "overview", path: "/", ready: (page) => page.getByText("Who announces what").waitFor() },
  {
    name: "services",
    path: "/services?service=data/kafka-ext",
    ready: (page) => page.getByText("Why no address").waitFor(),
  },
  {
    name: "pools",
    path: "/pools?pool=production",
    ready: (page) => page.getByRole("gridcell", { name: /^127\.77\.10\.2, / }).click(),
  },
  { name: "health", path: "/health", ready: (page) => page.getByText("Belief and wire").waitFor() },
  {
    name: "traffic",
    path: "/traffic",
    ready: (page) => page.locator("path.recharts-area-area").first().waitFor(),
  },
];

const dataDir = scratchDir();
const [berth, browser] = await Promise.all([startBerth({ dataDir }), launchBrowser()]);
try {
  await makeState(berth);
  const startedAt = await makeTraffic(berth);
  mkdirSync(INTO, { recursive: true });
  for (const { name, path, ready } of PAGES) {
    const pages = await Promise.all(
      THEMES.map(async (theme) => {
        const { page, context } = await openPage(browser, { theme });
        await page.goto(`${berth.url}${path}`);
        await ready(page);
        return { page, context, file: join(INTO, `${name}-${theme}.png`) };
      }),
    );
    // Ages settle; the chart's window is full.
    await sleep(name === "traffic" ? Math.max(1500, startedAt + FULL_MS - performance.now()) : 1500);
    for (const { page, context, file } of pages) {
      await page.screenshot({ path: file });
      console.log(`${file} ${Math.round(statSync(file).size / 1000)} kB`);
      await context.close();
    }
  }
} finally {
  await browser.close();
  await berth.stop();
  removeDir(dataDir);
}
