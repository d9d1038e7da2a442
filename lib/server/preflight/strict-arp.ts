import type { CheckRow } from "#api/dashboard/preflight";
import { KUBE_PROXY } from "#api/names";
import { CONFIG_MAPS, DAEMON_SETS } from "#api/resources";
import { Fault } from "#core/errors";
import { sleep } from "#runtime/clock";
import { restartPatch } from "../components.ts";
import type { Dashboard } from "../context.ts";
import { readProxySettings, withStrictArp } from "../kube-proxy-config.ts";
import { find } from "../objects.ts";
import { iso } from "../operations.ts";
import { daemonSetRollout } from "../rollout.ts";
import { plural } from "../rows/words.ts";
import { askWire, type WireRow } from "./wire.ts";

export const STRICT_ARP = "strict-arp";
const WHERE = { namespace: KUBE_PROXY.namespace, name: KUBE_PROXY.name };
const ROLLED_OUT_WITHIN_MS = 90_000;
const ONE_MAC_WITHIN_MS = 15_000;

const WHY =
  "In IPVS mode every node carries every load balancer address on kube-ipvs0. Without strictARP each of them answers ARP for it, so clients reach whichever answered last, and fail-over does not work.";

interface Judged {
  readonly state: CheckRow["state"];
  readonly evidence: string;
  readonly explanation: string;
  readonly fix: CheckRow["fix"];
}

/** ConfigMap first, then the wire: what nodes are told, and what they do. */
export async function strictArpCheck(on: Dashboard, signal?: AbortSignal): Promise<CheckRow> {
  const [configured, wire] = await Promise.all([judgeConfig(on, signal), askWire(on, signal)]);
  const judged = withWire(configured, wire);
  return { id: STRICT_ARP, title: "kube-proxy: strictARP", ...judged, wire, ranAt: iso(on.clock.now()) };
}

async function judgeConfig(on: Dashboard, signal?: AbortSignal): Promise<Judged> {
  const nothing = { fix: null };
  let text: string | undefined;
  try {
    const found = await find(on.cluster, CONFIG_MAPS, WHERE, signal);
    if (found === null) return await withoutConfig(on, signal);
    text = found.data?.[KUBE_PROXY.key];
  } catch (thrown) {
    const evidence = `ConfigMap ${WHERE.namespace}/${WHERE.name}: ${Fault.from(thrown).message}`;
    return {
      state: "unknown",
      evidence,
      explanation: "The configuration of kube-proxy could not be read.",
      ...nothing,
    };
  }
  const settings = text === undefined ? null : readProxySettings(text);
  if (settings === null) {
    const evidence = `ConfigMap ${WHERE.name} has no readable ${KUBE_PROXY.key}`;
    return {
      state: "unknown",
      evidence,
      explanation: "Only a KubeProxyConfiguration says which mode runs.",
      ...nothing,
    };
  }
  const mode = settings.mode === "" ? "iptables (default)" : settings.mode;
  const evidence = `ConfigMap ${WHERE.name}: mode ${mode}, strictARP ${settings.strictARP}`;
  if (settings.mode !== "ipvs") {
    return {
      state: "not_applicable",
      evidence,
      explanation: `Mode ${mode} answers no ARP for load balancer addresses; strictARP is not needed.`,
      ...nothing,
    };
  }
  if (settings.strictARP) return { state: "passed", evidence, explanation: WHY, ...nothing };
  const change = [
    `ConfigMap ${WHERE.namespace}/${WHERE.name}, ${KUBE_PROXY.key}:`,
    " ipvs:",
    "-  strictARP: false",
    "+  strictARP: true",
    `DaemonSet ${WHERE.namespace}/${WHERE.name}: rolling restart`,
  ].join("\n");
  return {
    state: "failed",
    evidence,
    explanation: WHY,
    fix: { label: "Set strictARP and restart kube-proxy", change },
  };
}

/** No ConfigMap: another proxy (then nothing is needed), or a distribution that keeps the settings elsewhere. */
async function withoutConfig(on: Dashboard, signal?: AbortSignal): Promise<Judged> {
  const { items } = await on.cluster.list(DAEMON_SETS, {
    namespace: KUBE_PROXY.namespace,
    ...(signal !== undefined && { signal }),
  });
  const other = items.map((one) => one.metadata.name ?? "").find((name) => /^(cilium|kube-router)/.test(name));
  const evidence = `There is no ConfigMap ${WHERE.namespace}/${WHERE.name}`;
  if (other !== undefined) {
    const explanation = `${other} stands in for kube-proxy; strictARP does not concern it.`;
    return { state: "not_applicable", evidence: `${evidence}; DaemonSet ${other} runs`, explanation, fix: null };
  }
  const explanation = "kube-proxy may be built in (k3s) or configured by flags. Look there whether IPVS mode is used.";
  return { state: "unknown", evidence, explanation, fix: null };
}

/** The wire has the last word where configuration says all is well. */
function withWire(judged: Judged, wire: readonly WireRow[]): Judged {
  const crowded = wire.filter((row) => row.answers.length > 1);
  const worst = crowded[0];
  if (worst === undefined) return judged;
  const seen = `${plural(worst.answers.length, "MAC")} answer for ${worst.address}`;
  const evidence = `${judged.evidence}; ${seen}`;
  if (judged.state === "failed") return { ...judged, evidence };
  const foreign = worst.answers.find((answer) => answer.node === null);
  if (foreign !== undefined) {
    const explanation = `${foreign.mac} belongs to no node: another machine on this network uses ${worst.address}.`;
    return { state: "failed", evidence, explanation, fix: null };
  }
  if (judged.state !== "passed") return { ...judged, state: "warning", evidence };
  return {
    state: "failed",
    evidence,
    explanation:
      "The configuration is right, but nodes still act on an older one: kube-proxy reads it only when it starts.",
    fix: { label: "Restart kube-proxy", change: `DaemonSet ${WHERE.namespace}/${WHERE.name}: rolling restart` },
  };
}

const STEPS = [
  { name: "configure", label: "Set strictARP: true" },
  { name: "restart", label: "Restart kube-proxy" },
  { name: "rollout", label: "kube-proxy restarted everywhere" },
  { name: "wire", label: "One MAC for each address" },
];

/** Edits the ConfigMap in place, restarts kube-proxy, waits, and asks the wire until one MAC is left. */
export function fixStrictArp(on: Dashboard): { operation: string } {
  const { operation } = on.operations.start("fix", STRICT_ARP, STEPS, async (progress) => {
    const { signal } = progress;
    await progress.step("configure", async () => {
      for (let attempt = 1; ; attempt += 1) {
        const found = await on.cluster.get(CONFIG_MAPS, WHERE, signal);
        const text = found.data?.[KUBE_PROXY.key] ?? "";
        const settings = readProxySettings(text);
        if (settings === null) throw new Fault("invalid", `ConfigMap ${WHERE.name} has no readable ${KUBE_PROXY.key}.`);
        if (settings.strictARP) return "strictARP is true already";
        const data = { [KUBE_PROXY.key]: withStrictArp(text) };
        const body = { metadata: { resourceVersion: found.metadata.resourceVersion }, data };
        try {
          await on.cluster.patch(CONFIG_MAPS, WHERE, { kind: "merge", body, signal });
          return "Set strictARP: true";
        } catch (thrown) {
          if (Fault.from(thrown).code !== "conflict" || attempt >= 3) throw thrown;
        }
      }
    });
    let generation = 0;
    await progress.step("restart", async () => {
      const body = restartPatch(on.clock.now());
      const patched = await on.cluster.patch(DAEMON_SETS, WHERE, { kind: "strategic", body, signal });
      generation = patched.metadata.generation ?? 0;
      return undefined;
    });
    await progress.step("rollout", async (note) => {
      const deadline = on.clock.monotonic() + ROLLED_OUT_WITHIN_MS;
      for (let said = ""; ; ) {
        const current = await on.cluster.get(DAEMON_SETS, WHERE, signal);
        const { done, text } = daemonSetRollout(current);
        if (text !== said) note(text);
        said = text;
        if (done && (current.metadata.generation ?? 0) >= generation) return undefined;
        if (on.clock.monotonic() >= deadline)
          throw new Fault("unavailable", `kube-proxy is not back after ${ROLLED_OUT_WITHIN_MS / 1000} s: ${text}.`);
        await sleep(on.clock, 250, signal);
      }
    });
    await oneMac(on, progress);
  });
  return { operation };
}

async function oneMac(
  on: Dashboard,
  progress: Parameters<Parameters<Dashboard["operations"]["start"]>[3]>[0],
): Promise<void> {
  const deadline = on.clock.monotonic() + ONE_MAC_WITHIN_MS;
  const first = await askWire(on, progress.signal);
  if (first.length === 0) return progress.skip("wire", "No address is in use, or no speaker can ask.");
  await progress.step("wire", async (note) => {
    for (let wire = first; ; wire = await askWire(on, progress.signal)) {
      const worst = [...wire].sort((a, b) => b.answers.length - a.answers.length)[0];
      const isLate = on.clock.monotonic() >= deadline;
      const { wire: found } = on.views.now();
      // The speakers' own watch takes a few seconds to agree; until then the next check would say otherwise.
      const isSettled = !wire.some(({ address }) => found.get(address)?.kind === "split_brain");
      if (worst === undefined || worst.answers.length <= 1) {
        if (isSettled || isLate) return `One MAC for ${plural(wire.length, "address", "addresses")}`;
        note("one MAC answers; the speakers look once more");
      } else {
        const text = `${worst.answers.length} MACs still answer for ${worst.address}`;
        note(text);
        if (isLate) throw new Fault("unavailable", `${text}.`);
      }
      await sleep(on.clock, 500, progress.signal);
    }
  });
}
