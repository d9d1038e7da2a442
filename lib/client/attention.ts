import type { ComponentRow } from "#api/dashboard/components";
import type { NodeRow } from "#api/dashboard/nodes";
import type { PoolRow } from "#api/dashboard/pools";
import type { CheckRow } from "#api/dashboard/preflight";
import type { ServiceRow } from "#api/dashboard/services";
import type { Tone } from "#api/dashboard/tone";
import { poolHref, serviceHref } from "#client/find";
import { count } from "#client/format";

/** One line of "Needs you": what is wrong, why, and the one thing to do about it. */
export interface Need {
  readonly id: string;
  readonly tone: Tone;
  /** Printed strong in front of `text`: a Service, a pool, a node. */
  readonly subject: string;
  readonly text: string;
  readonly cause: string;
  readonly action: { readonly label: string; readonly href: string };
}

export interface Facts {
  readonly services: readonly ServiceRow[];
  readonly pools: readonly PoolRow[];
  readonly nodes: readonly NodeRow[];
  readonly components: readonly ComponentRow[];
  /** Undefined until preflight has run. */
  readonly checks?: readonly CheckRow[] | undefined;
}

function componentDown(row: ComponentRow): boolean {
  return row.installed && (row.ready < row.desired || row.pods.some((pod) => pod.configuration.result === "Invalid"));
}

/** Checks that say what the rows of pools and components say already, with less detail. */
const TOLD_BY_ROWS = new Set(["controller", "speakers", "configuration", "advertised"]);

function ofChecks(checks: readonly CheckRow[]): Need[] {
  return checks
    .filter((check) => !TOLD_BY_ROWS.has(check.id) && (check.state === "failed" || check.state === "warning"))
    .map((check) => ({
      id: `check-${check.id}`,
      tone: check.state === "failed" ? "failed" : "warning",
      subject: check.title,
      text: "",
      cause: check.explanation === "" ? check.evidence : check.explanation,
      action: { label: check.fix === null ? "Show" : "Fix", href: "/health" },
    }));
}

function ofComponents(components: readonly ComponentRow[]): Need[] {
  return components.filter(componentDown).map((row) => {
    const invalid = row.pods.find((pod) => pod.configuration.result === "Invalid");
    const broken = row.pods.find((pod) => !pod.ready);
    return {
      id: `component-${row.component}`,
      tone: row.ready === 0 ? "failed" : "warning",
      subject: row.component,
      text: invalid === undefined ? `: ${row.ready} of ${row.desired} ready` : " has a configuration that is not valid",
      cause:
        invalid?.configuration.message ??
        broken?.message ??
        (broken === undefined ? "" : `${broken.pod} is ${broken.phase}`),
      action: { label: "Show", href: "/health" },
    };
  });
}

function ofPools(pools: readonly PoolRow[]): Need[] {
  const result: Need[] = [];
  for (const pool of pools) {
    const href = poolHref(pool.name);
    const error = pool.findings.find((finding) => finding.severity === "error");
    if (error !== undefined || !pool.valid)
      result.push({
        id: `pool-${pool.name}-invalid`,
        tone: "failed",
        subject: `Pool ${pool.name}`,
        text: " is not valid",
        cause: error === undefined ? "Its last valid version stays in force" : `${error.message}. ${error.fix}`,
        action: { label: "Edit", href: `${href}&edit=1` },
      });
    if (pool.advertisedBy.length === 0 && pool.valid)
      result.push({
        id: `pool-${pool.name}-silent`,
        tone: "failed",
        subject: `Pool ${pool.name}`,
        text: " is announced by nobody",
        cause: "Its addresses can be assigned, but no advertisement covers it",
        action: { label: "Advertise", href: `${href}&tab=advertisements` },
      });
    for (const [family, use] of [
      ["IPv4", pool.ipv4],
      ["IPv6", pool.ipv6],
    ] as const) {
      if (use === null || use.pressure === "ready") continue;
      const full = use.available === "0";
      result.push({
        id: `pool-${pool.name}-${family}`,
        tone: full ? "failed" : "warning",
        subject: `Pool ${pool.name}`,
        text: full ? " is full" : " is almost full",
        cause: `${count(use.available)} of ${use.totalText} ${family} addresses left`,
        action: { label: "Add range", href: `${href}&edit=1` },
      });
    }
  }
  return result;
}

function serviceText(row: ServiceRow): string {
  if (row.status === "pending") return ` is pending${row.cause === "" ? "" : `: ${row.cause}`}`;
  if (row.status === "not_announced") return " has an address that no node announces";
  if (row.status === "not_reachable") return " is announced but does not answer";
  if (row.status === "no_ready_pods") return " has no ready pods";
  return " has an address that is in conflict";
}

function ofServices(services: readonly ServiceRow[]): Need[] {
  const bad = ["pending", "not_announced", "not_reachable", "no_ready_pods", "conflict"];
  return services
    .filter((row) => bad.includes(row.status))
    .map((row) => ({
      id: `service-${row.key}`,
      tone: row.status === "not_reachable" || row.status === "no_ready_pods" ? "warning" : "failed",
      subject: row.key,
      text: serviceText(row),
      cause: row.sentence,
      action: { label: row.status === "pending" ? "Choose a pool" : "Diagnose", href: serviceHref(row.key) },
    }));
}

function ofNodes(nodes: readonly NodeRow[]): Need[] {
  return nodes
    .filter((node) => !node.ready)
    .map((node) => ({
      id: `node-${node.name}`,
      tone: "warning",
      subject: node.name,
      text: node.poweredOff ? " is powered off" : " is not ready",
      cause: "Its addresses are announced by other nodes meanwhile",
      action: { label: "Show", href: "/health#nodes" },
    }));
}

const ORDER: Record<Tone, number> = { failed: 0, warning: 1, pending: 2, unknown: 3, ready: 4 };

/** Everything that needs a person, worst first; within one tone what touches most comes first. */
export function attention(facts: Facts): readonly Need[] {
  const all = [
    ...ofChecks(facts.checks ?? []),
    ...ofComponents(facts.components),
    ...ofPools(facts.pools),
    ...ofServices(facts.services),
    ...ofNodes(facts.nodes),
  ];
  return all.sort((a, b) => ORDER[a.tone] - ORDER[b.tone]);
}

export const needs = { componentDown };
