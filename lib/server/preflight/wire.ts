import type { CheckRow } from "#api/dashboard/preflight";
import type { SpeakerState, WireObservation } from "#api/metallb";
import { ANNOTATION } from "#api/names";
import { keyOf, SPEAKER_STATES } from "#api/resources";
import { tryParseAddress } from "#core/address";
import type { Dashboard } from "../context.ts";
import { addressesOf } from "../objects-to-facts.ts";
import { iso } from "../operations.ts";
import { componentOf, podReady } from "../rows/pods.ts";
import type { View } from "../view.ts";

export type WireRow = CheckRow["wire"][number];

const ANSWER_WITHIN_MS = 1_500;
/** A node does not hear itself, so at least two are asked; more add nothing but packets. */
const ASKED_NODES = 3;
const ASKED_ADDRESSES = 8;

/**
 * Has speakers ask the wire who answers for the addresses in use (ARP, or
 * neighbour discovery), and sets the answers against who is believed to announce them. Empty when
 * nobody can ask. Takes at most 1.5 s.
 */
export async function askWire(on: Dashboard, signal?: AbortSignal): Promise<WireRow[]> {
  const view = on.views.now();
  const addresses = addressesInUse(view).slice(0, ASKED_ADDRESSES);
  const states = askable(on).slice(0, ASKED_NODES);
  if (addresses.length === 0 || states.length === 0) return [];
  const texts = addresses.map((one) => one.address);
  const answered = await Promise.all(states.map((state) => askOne(on, state, texts, signal)));
  const askedAt = iso(on.clock.now());
  return addresses.map((one) => wireRow(one, answered.flat(), askedAt, on.views.now()));
}

interface Asked {
  readonly node: string;
  readonly observations: readonly WireObservation[];
}

async function askOne(
  on: Dashboard,
  state: SpeakerState,
  addresses: readonly string[],
  signal?: AbortSignal,
): Promise<Asked[]> {
  const { name = "", namespace } = state.metadata;
  const nonce = crypto.randomUUID().slice(0, 8);
  const annotations = { [ANNOTATION.whoHas]: `${nonce} ${addresses.join(",")}` };
  try {
    await on.cluster.patch(SPEAKER_STATES, { name, namespace }, { kind: "merge", body: { metadata: { annotations } } });
  } catch {
    return [];
  }
  const key = `${namespace}/${name}`;
  const answered = () => on.world.speakerStates.get(key)?.status?.answeredWhoHas === nonce;
  if (!(await on.world.until(answered, ANSWER_WITHIN_MS, signal))) return [];
  return [{ node: name, observations: on.world.speakerStates.get(key)?.status?.wire ?? [] }];
}

function askable(on: Dashboard): readonly SpeakerState[] {
  const ready = new Set(
    on.world.pods
      .list()
      .filter((pod) => componentOf(pod) === "speaker" && podReady(pod))
      .map((pod) => pod.spec?.nodeName),
  );
  return on.world.speakerStates
    .list()
    .filter((state) => ready.has(state.metadata.name))
    .sort((a, b) => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1));
}

interface InUse {
  readonly address: string;
  readonly service: string;
}

function addressesInUse(view: View): readonly InUse[] {
  const found = new Map<string, string>();
  for (const service of view.facts.services) {
    for (const address of addressesOf(service)) {
      if (tryParseAddress(address) !== null && !found.has(address)) found.set(address, keyOf(service));
    }
  }
  return [...found].map(([address, service]) => ({ address, service }));
}

function wireRow({ address, service }: InUse, asked: readonly Asked[], askedAt: string, view: View): WireRow {
  const announcer = view.announcersOf(service)[0]?.node;
  const links = view.facts.speakerStates.find((state) => state.metadata.name === announcer)?.status?.interfaces ?? [];
  const own = new Set(links.map((link) => link.mac.toLowerCase()));
  const answers = new Map<string, WireRow["answers"][number]>();
  for (const { observations } of asked) {
    for (const answer of observations.find((one) => one.address === address)?.answers ?? []) {
      const mac = answer.mac.toLowerCase();
      const known = answers.get(mac);
      const rttMs = answer.self === true ? null : (answer.rttMs ?? null);
      if (known !== undefined && (known.rttMs !== null || rttMs === null)) continue;
      answers.set(mac, { mac, node: view.nodeByMac.get(mac) ?? null, expected: own.has(mac), rttMs });
    }
  }
  const mac = links.find((link) => link.up)?.mac ?? links[0]?.mac;
  return {
    address,
    service,
    believed: announcer === undefined || mac === undefined ? null : { node: announcer, mac },
    askedAt,
    askedFrom: asked.map((one) => one.node).join(", "),
    answers: [...answers.values()].sort((a, b) => Number(b.expected) - Number(a.expected) || (a.mac < b.mac ? -1 : 1)),
  };
}
