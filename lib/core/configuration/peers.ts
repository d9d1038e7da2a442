import { type Address, formatAddress, tryParseAddress } from "../address.ts";
import type { Selector } from "../selector.ts";
import type { Entry } from "./entry.ts";
import { Fields } from "./fields.ts";
import { doubt, failure, quote, type Remark } from "./finding.ts";
import type { SecretFacts } from "./secrets.ts";
import { type PeerTimers, peerTimers } from "./timers.ts";

/** A BGPPeer that is valid by itself. */
export interface PeerView extends PeerTimers {
  readonly name: string;
  readonly source: string;
  readonly myAsn: number;
  readonly remote: { readonly kind: "asn"; readonly asn: number } | { readonly kind: "internal" | "external" };
  readonly localAsn: number | null;
  readonly target:
    | { readonly kind: "address"; readonly address: Address }
    | { readonly kind: "interface"; readonly name: string };
  readonly sourceAddress: Address | null;
  readonly port: number;
  /** As written: two spellings count as two (metallb.md 4.3). Empty: the engine chooses. */
  readonly routerId: string;
  readonly nodeSelectors: readonly Selector[];
  readonly password:
    | { readonly kind: "none" }
    | { readonly kind: "text"; readonly text: string }
    | { readonly kind: "secret"; readonly name: string };
  readonly bfdProfile: string | null;
  readonly gracefulRestart: boolean;
  readonly multiHop: boolean;
  /** Empty: the default VRF. */
  readonly vrf: string;
  readonly disableMp: boolean;
  readonly dualStack: boolean;
}

interface PeerContext {
  /** Null: nothing is known about Secrets. */
  readonly secrets: SecretFacts | null;
  /** Null: nothing is known about BFDProfiles. */
  readonly bfdProfiles: ReadonlySet<string> | null;
  /** Objects that are referred to and not there are missing, rather than elsewhere. */
  readonly complete: boolean;
  readonly namespace: string | undefined;
}

const ASN_MAX = 4_294_967_295;

export function compilePeer(entry: Entry, context: PeerContext) {
  let isSound = true;
  const report = (remark: Remark) => {
    if (remark.severity === "error") isSound = false;
    entry.report(remark);
  };
  const spec = new Fields(entry.spec, "spec", report);
  const myAsn = ownAsn(spec, report);
  const remote = remoteOf(spec, report);
  const target = targetOf(spec, report);
  const rest = {
    name: entry.name,
    source: entry.source,
    localAsn: spec.integer("localASN", 1, ASN_MAX) ?? null,
    sourceAddress: addressIn(spec, "sourceAddress", report),
    port: spec.integer("peerPort", entry.apiVersion.endsWith("/v1beta1") ? 0 : 1, 16_384) || 179,
    routerId: spec.text("routerID") ?? "",
    nodeSelectors: spec.selectors("nodeSelectors"),
    password: passwordOf(spec, context, report),
    bfdProfile: spec.filled("bfdProfile") ?? null,
    gracefulRestart: spec.flag("enableGracefulRestart") ?? false,
    multiHop: spec.flag("ebgpMultiHop") ?? false,
    vrf: spec.text("vrf") ?? "",
    disableMp: spec.flag("disableMP") ?? false,
    dualStack: spec.flag("dualStackAddressFamily") ?? false,
    ...peerTimers(spec, report),
  };
  spec.warnOfOthers();
  checkPeer({ ...rest, myAsn, remote, target }, context, report);
  if (entry.apiVersion === "metallb.io/v1beta1") {
    report(doubt("apiVersion", "deprecated", "v1beta1 of BGPPeer is deprecated", "write metallb.io/v1beta2"));
  }
  const view: PeerView | null =
    !isSound || myAsn === null || remote === null || target === null ? null : { ...rest, myAsn, remote, target };
  return { name: entry.name, report: entry.report, view };
}

function ownAsn(spec: Fields, report: (remark: Remark) => void): number | null {
  const asn = spec.integer("myASN", 0, ASN_MAX);
  if (asn === undefined && spec.has("myASN")) return null;
  if (asn !== undefined && asn > 0) return asn;
  report(
    failure(
      spec.path("myASN"),
      "missing_field",
      "the peer needs an own AS number above 0",
      "write the nodes' AS number",
    ),
  );
  return null;
}

function remoteOf(spec: Fields, report: (remark: Remark) => void): PeerView["remote"] | null {
  const read = spec.integer("peerASN", 0, ASN_MAX);
  const asn = read ?? 0;
  const mode = spec.filled("dynamicASN");
  if (mode !== undefined && mode !== "internal" && mode !== "external") {
    const message = `${quote(mode)} is neither internal nor external`;
    report(failure(spec.path("dynamicASN"), "out_of_range", message, "write internal or external"));
    return null;
  }
  if (asn > 0 && mode !== undefined) {
    report(
      failure(spec.path("dynamicASN"), "contradiction", "peerASN and dynamicASN exclude each other", "leave one out"),
    );
    return null;
  }
  if (mode !== undefined) return { kind: mode };
  if (asn > 0) return { kind: "asn", asn };
  if (read === undefined && spec.has("peerASN")) return null;
  report(
    failure(spec.path("peerASN"), "missing_field", "neither peerASN nor dynamicASN is given", "write one of them"),
  );
  return null;
}

function targetOf(spec: Fields, report: (remark: Remark) => void): PeerView["target"] | null {
  const text = spec.filled("peerAddress");
  const name = spec.filled("interface");
  if (text !== undefined && name !== undefined) {
    report(
      failure(spec.path("interface"), "contradiction", "peerAddress and interface exclude each other", "leave one out"),
    );
    return null;
  }
  if (name !== undefined) return { kind: "interface", name };
  if (text === undefined) {
    report(
      failure(
        spec.path("peerAddress"),
        "missing_field",
        "neither peerAddress nor interface is given",
        "write one of them",
      ),
    );
    return null;
  }
  const address = addressIn(spec, "peerAddress", report);
  return address === null ? null : { kind: "address", address };
}

function addressIn(spec: Fields, name: string, report: (remark: Remark) => void): Address | null {
  const text = spec.filled(name);
  if (text === undefined) return null;
  const address = tryParseAddress(text);
  if (address === null) {
    const message = `${quote(text)} is not an IP address`;
    report(failure(spec.path(name), "malformed_address", message, "write it like 192.0.2.1 or 2001:db8::1"));
  }
  return address;
}

function passwordOf(spec: Fields, context: PeerContext, report: (remark: Remark) => void): PeerView["password"] {
  const text = spec.filled("password");
  const reference = spec.object("passwordSecret");
  const name = reference?.filled("name");
  const namespace = reference?.filled("namespace");
  reference?.warnOfOthers();
  if (text !== undefined && name !== undefined) {
    report(
      failure(
        spec.path("passwordSecret"),
        "contradiction",
        "password and passwordSecret exclude each other",
        "leave one out",
      ),
    );
  }
  if (name === undefined) return text === undefined ? { kind: "none" } : { kind: "text", text };
  const field = spec.path("passwordSecret");
  if (namespace !== undefined && context.namespace !== undefined && namespace !== context.namespace) {
    const message = `Secrets are only read in ${context.namespace}, not in ${quote(namespace)}`;
    report(doubt(`${field}.namespace`, "wrong_namespace", message, `put the Secret into ${context.namespace}`));
  }
  const secret = context.secrets?.get(name);
  if (context.secrets !== null && secret === undefined) {
    const remark = context.complete ? failure : doubt;
    report(
      remark(
        `${field}.name`,
        "unknown_reference",
        `there is no Secret ${quote(name)}`,
        "create it, or correct the name",
      ),
    );
  }
  if (secret !== undefined && secret.type !== "kubernetes.io/basic-auth") {
    const message = `Secret ${name} is of type ${quote(secret.type)}`;
    report(failure(`${field}.name`, "wrong_secret", message, "make one of type kubernetes.io/basic-auth"));
  } else if (secret !== undefined && !secret.hasPassword) {
    report(
      failure(
        `${field}.name`,
        "wrong_secret",
        `Secret ${name} has no key password`,
        "put the password under the key password",
      ),
    );
  }
  return { kind: "secret", name };
}

/** A peer as far as it could be read. */
type Draft = Omit<PeerView, "myAsn" | "remote" | "target"> & {
  readonly [Part in "myAsn" | "remote" | "target"]: PeerView[Part] | null;
};

/** What its fields mean together, and to other objects. */
function checkPeer(peer: Draft, context: PeerContext, report: (remark: Remark) => void): void {
  const { target, remote, sourceAddress, bfdProfile, routerId } = peer;
  if (peer.multiHop && remote?.kind === "asn" && remote.asn === peer.myAsn) {
    const message = "ebgpMultiHop is for peers of another AS, and both AS numbers are equal";
    report(failure("spec.ebgpMultiHop", "contradiction", message, "leave ebgpMultiHop out"));
  } else if (peer.multiHop && remote?.kind === "internal") {
    const message = "ebgpMultiHop has no effect on a peer of the own AS";
    report(doubt("spec.ebgpMultiHop", "no_effect", message, "leave ebgpMultiHop out"));
  }
  if (routerId !== "" && tryParseAddress(routerId)?.family !== 4) {
    const message = `${quote(routerId)} is not an IPv4 address`;
    report(failure("spec.routerID", "malformed_address", message, "write it like 192.0.2.1"));
  }
  if (sourceAddress !== null && target?.kind === "address" && target.address.family !== sourceAddress.family) {
    const message = `${formatAddress(sourceAddress)} cannot reach ${formatAddress(target.address)}: another family`;
    report(doubt("spec.sourceAddress", "no_effect", message, "write an address of the peer's family"));
  }
  if (bfdProfile !== null && context.bfdProfiles?.has(bfdProfile) === false) {
    const remark = context.complete ? failure : doubt;
    const message = `there is no BFDProfile ${quote(bfdProfile)}`;
    report(remark("spec.bfdProfile", "unknown_reference", message, "create it, or correct the name"));
  }
  if (peer.disableMp) {
    const message = "disableMP is deprecated and has no effect";
    report(doubt("spec.disableMP", "deprecated", message, "leave it out; dualStackAddressFamily joins both families"));
  }
}
