/** What admission webhooks say about one change of the configuration, before it happens. */
import {
  type CompiledConfiguration,
  type Configuration,
  type ConfigurationInput,
  compileConfiguration,
} from "../configuration.ts";
import { covers, type PoolView, poolContains } from "../pools.ts";
import { closedTo } from "../refusals.ts";
import { type ServiceLike, type ServiceView, serviceView } from "../service-view.ts";
import { entryOf, textOf } from "./entry.ts";
import { ownMember } from "./fields.ts";
import type { ConfigurationFinding, ConfigurationKind, ConfigurationReason } from "./finding.ts";

/** What has webhooks. */
export type AdmissionKind = Exclude<ConfigurationKind, "Service">;
/** What is compiled together. */
type CompiledKind = Exclude<AdmissionKind, "AddressHold">;

/** One change as an API server asks about it. */
export interface Change<K extends AdmissionKind = AdmissionKind> {
  readonly kind: K;
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  /** "" for cluster-scoped kinds. */
  readonly namespace: string;
  readonly name: string;
  /** The object as it will be; not looked at when it is deleted. */
  readonly object: unknown;
  /** The object as it is, when the server says so. */
  readonly oldObject: unknown;
}

export interface Verdict {
  /** Of the changed object alone; any of them refuses the change. */
  readonly errors: readonly ConfigurationFinding[];
  /** Sentences for whoever makes the change. */
  readonly warnings: readonly string[];
}

const LIST_OF = {
  IPAddressPool: "pools",
  L2Advertisement: "l2Advertisements",
  BGPAdvertisement: "bgpAdvertisements",
  BGPPeer: "peers",
  Community: "communities",
  BFDProfile: "bfdProfiles",
} as const satisfies Record<CompiledKind, keyof ConfigurationInput>;

/** What may come after the object that names it: it must not matter in which order people create things (metallb.md 4.4). */
const REFERENCES: ReadonlySet<ConfigurationReason> = new Set(["unknown_reference", "wrong_secret"]);

/** Longer lists are counted, not read. */
const LISTED_MAX = 10;

/**
 * The compiler's verdict on the changed object, and warnings: what is doubtful
 * with it, what the change breaks elsewhere, and which Services it costs their
 * address. What was wrong elsewhere before does not refuse it; nor does an
 * update that leaves labels and spec as they are, or an object that is on its
 * way out. Total: throws for no input.
 */
export function admit(
  input: ConfigurationInput,
  change: Change<CompiledKind>,
  context: { readonly services: readonly ServiceLike[]; readonly lbClass?: string | undefined },
): Verdict {
  const list = LIST_OF[change.kind];
  const others = (input[list] ?? []).filter((object) => !isAt(object, change));
  const old =
    change.operation === "CREATE" ? undefined : (change.oldObject ?? input[list]?.find((o) => isAt(o, change)));
  const world = { ...input, services: undefined };
  const before = compileConfiguration({ ...world, [list]: old === undefined ? others : [...others, old] });
  const now = change.operation === "DELETE" ? others : [...others, change.object];
  const after = compileConfiguration({ ...world, [list]: now }, before.configuration);

  const own = after.findings.filter((finding) => isAbout(finding, change));
  const errors = [...own.filter((finding) => refuses(finding, change, old)), ...deletionErrors(change, input)];
  const doubts = own.filter((finding) => !errors.includes(finding)).map(remarkText);
  if (errors.length > 0) return { errors, warnings: bounded(doubts, "more warnings") };
  const effects = [
    ...lossesOf(change, before.configuration, after.configuration, context),
    ...targetsOf(change, before.configuration),
    ...bounded(brokenElsewhere(before, after, change), "more findings elsewhere"),
  ];
  return { errors, warnings: [...bounded(doubts, "more warnings"), ...effects] };
}

/** "spec.addresses.0: what is wrong; what would be right" */
export function remarkText({ field, message, fix }: ConfigurationFinding): string {
  return `${field === "" ? "" : `${field}: `}${message}; ${fix}`;
}

function refuses(finding: ConfigurationFinding, { operation, object }: Change, old: unknown): boolean {
  if (finding.severity !== "error" || REFERENCES.has(finding.reason)) return false;
  if (operation === "CREATE") return true;
  // Upstream asks for the namespace on create only, and nobody reads what is elsewhere.
  if (finding.reason === "wrong_namespace") return false;
  return !isUntouched(finding.kind, object, old) && !isLeaving(object);
}

/** Labels and spec are as before, so that no verdict can have changed: annotations and finalizers stay editable. */
function isUntouched(kind: ConfigurationKind, object: unknown, old: unknown): boolean {
  const source = (one: unknown) => entryOf(kind, one, () => undefined).source;
  return old !== undefined && source(object) === source(old);
}

function isLeaving(object: unknown): boolean {
  return textOf(ownMember(ownMember(object, "metadata"), "deletionTimestamp")) !== "";
}

/** As upstream: a profile that a peer names stays. */
function deletionErrors(
  change: Change,
  { peers = [], namespace }: ConfigurationInput,
): readonly ConfigurationFinding[] {
  if (change.operation !== "DELETE" || change.kind !== "BFDProfile") return [];
  if (namespace !== undefined && change.namespace !== namespace) return [];
  return peers
    .filter((peer) => isIn(peer, change.namespace) && ownMember(ownMember(peer, "spec"), "bfdProfile") === change.name)
    .slice(0, LISTED_MAX)
    .map((peer) => ({
      severity: "error",
      kind: change.kind,
      object: keyOf(change),
      field: "metadata.name",
      reason: "in_use",
      message: `BGPPeer ${textOf(ownMember(ownMember(peer, "metadata"), "name"))} names it`,
      fix: "take it out of the peer first",
    }));
}

/** What is wrong or doubtful with other objects, and was not before. */
function brokenElsewhere(
  before: CompiledConfiguration,
  after: CompiledConfiguration,
  change: Change,
): readonly string[] {
  const textFor = (finding: ConfigurationFinding) => `${finding.kind} ${finding.object}: ${remarkText(finding)}`;
  const known = new Set(before.findings.map(textFor));
  return after.findings
    .filter((finding) => !isAbout(finding, change))
    .map(textFor)
    .filter((text) => !known.has(text));
}

function targetsOf({ kind, operation, name }: Change, before: Configuration): readonly string[] {
  if (kind !== "BGPPeer" || operation !== "DELETE") return [];
  const users = before.bgpAdvertisements.filter(({ targets }) => targets.includes(name)).map((one) => one.name);
  if (users.length === 0) return [];
  const names = users.slice(0, LISTED_MAX).join(", ");
  const more = users.length > LISTED_MAX ? ` and ${users.length - LISTED_MAX} more` : "";
  return [`routes of ${counted(users.length, "BGPAdvertisement")} are withdrawn from the peer: ${names}${more}`];
}

/** Services whose address was legal, and is not any more: of this pool, as no other one's ranges change by it. */
function lossesOf(
  { kind, operation, name }: Change,
  before: Configuration,
  after: Configuration,
  context: { readonly services: readonly ServiceLike[]; readonly lbClass?: string | undefined },
): readonly string[] {
  const was = before.pools.find((pool) => pool.name === name);
  if (kind !== "IPAddressPool" || was === undefined) return [];
  const is = after.pools.find((pool) => pool.name === name);
  // There may be thousands of Services, and whoever makes the change waits.
  if (is !== undefined && covers(is, was)) return [];
  const { services, lbClass } = context;
  const losses: string[] = [];
  for (const service of services) {
    if (service.spec?.type !== "LoadBalancer" || (service.spec.loadBalancerClass ?? null) !== (lbClass || null))
      continue;
    const view = serviceView(service);
    if (!mayHold(view, was) || (is !== undefined && mayHold(view, is))) continue;
    if (after.pools.some((pool) => mayHold(view, pool))) continue;
    losses.push(`${view.key} loses ${view.ingress.join(", ")}`);
  }
  if (losses.length === 0) return [];
  const doing = operation === "DELETE" ? "deleting" : "changing";
  const head = `${doing} pool ${name} costs ${counted(losses.length, "Service")} the address:`;
  return [head, ...bounded(losses.toSorted(), "more Services")];
}

/** As far as the pool decides it. */
function mayHold(service: ServiceView, pool: PoolView): boolean {
  const { held, requestedPool } = service;
  if (held === null || held.length === 0 || (requestedPool !== null && requestedPool !== pool.name)) return false;
  return held.every((address) => poolContains(pool, address)) && closedTo(pool, service) === null;
}

/** The first ten, and how many more there are. */
export function bounded(texts: readonly string[], what: string): readonly string[] {
  if (texts.length <= LISTED_MAX) return texts;
  return [...texts.slice(0, LISTED_MAX), `and ${texts.length - LISTED_MAX} ${what}`];
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function isAbout(finding: ConfigurationFinding, change: Change): boolean {
  return finding.kind === change.kind && finding.object === keyOf(change);
}

function isAt(object: unknown, { namespace, name }: Change): boolean {
  return isIn(object, namespace) && ownMember(ownMember(object, "metadata"), "name") === name;
}

function isIn(object: unknown, namespace: string): boolean {
  return textOf(ownMember(ownMember(object, "metadata"), "namespace")) === namespace;
}

function keyOf({ namespace, name }: Change): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}
