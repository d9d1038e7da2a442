import { tryParseAddress } from "../address.ts";
import { type Collect, type Entry, entryOf, textOf } from "./entry.ts";
import { ownMember } from "./fields.ts";
import { doubt, quote, type Remark } from "./finding.ts";

const PREFIX = "metallb.io/";
/** Read only where the present spelling is absent. */
const DEPRECATED = "metallb.universe.tf/";
const NAMES = ["address-pool", "loadBalancerIPs", "allow-shared-ip", "ip-allocated-from-pool"] as const;

/** What is doubtful about Services of type LoadBalancer, above all annotations, which no server checks. Null: pools unknown. */
export function serviceDoubts(objects: readonly unknown[], pools: ReadonlySet<string> | null, collect: Collect): void {
  for (const object of objects) {
    const entry = entryOf("Service", object, collect);
    if (textOf(ownMember(entry.spec, "type")) !== "LoadBalancer") continue;
    for (const remark of doubtsOf(entry, pools)) entry.report(remark);
  }
}

function doubtsOf({ annotations, spec }: Entry, pools: ReadonlySet<string> | null): readonly Remark[] {
  const doubts: Remark[] = [];
  const add = (field: string, reason: Remark["reason"], message: string, fix: string) =>
    doubts.push(doubt(field, reason, message, fix));
  for (const name of NAMES) {
    const old = `${DEPRECATED}${name}`;
    if (!Object.hasOwn(annotations, old) || name === "ip-allocated-from-pool") continue;
    const isIgnored = Object.hasOwn(annotations, `${PREFIX}${name}`);
    const message = isIgnored ? `${PREFIX}${name} is there too, and counts` : "this spelling is deprecated";
    add(`metadata.annotations.${old}`, isIgnored ? "no_effect" : "deprecated", message, `write ${PREFIX}${name} only`);
  }
  const pool = annotationOf(annotations, "address-pool");
  if (pool !== null && pools !== null && !pools.has(pool.value)) {
    add(pool.field, "unknown_reference", `there is no pool ${quote(pool.value)}`, "create it, or correct the name");
  }
  const wanted = annotationOf(annotations, "loadBalancerIPs");
  const bad = wanted?.value.split(",").find((text) => tryParseAddress(text.trim()) === null);
  if (wanted !== null && bad !== undefined) {
    add(
      wanted.field,
      "malformed_address",
      `${quote(bad)} is not an IP address`,
      "write one address, or two with a comma",
    );
  }
  if (textOf(ownMember(spec, "loadBalancerIP")) !== "") {
    const message = "loadBalancerIP is deprecated by Kubernetes";
    add("spec.loadBalancerIP", "deprecated", message, `write the annotation ${PREFIX}loadBalancerIPs`);
  }
  return doubts;
}

function annotationOf(annotations: Readonly<Record<string, string>>, name: string) {
  const key = [PREFIX, DEPRECATED].map((prefix) => `${prefix}${name}`).find((one) => Object.hasOwn(annotations, one));
  return key === undefined ? null : { field: `metadata.annotations.${key}`, value: annotations[key] ?? "" };
}
