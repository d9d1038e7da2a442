/** What the tests of the watch over the wire speak in. */
import type { AddressHold } from "#api/holds";
import { ADDRESS_HOLDS, EVENTS, SERVICES, SPEAKER_STATES } from "#api/resources";
import { electAnnouncer, type NodeFacts } from "#core/election";
import { Lab } from "./lab.ts";

export const VIP = "127.77.10.1";
export const NEXT = "127.77.10.2";
export const STRANGER = "52:54:00:00:00:99";
export const NODES_OF_3 = ["node-01", "node-02", "node-03"];

export function winnerOf(ip: string): string {
  const nodes = NODES_OF_3.map(
    (name): NodeFacts => ({ name, labels: {}, networkUnavailable: false, alive: true, ready: true, interfaces: null }),
  );
  const advertisement = { nodeSelectors: [], interfaces: [], serviceSelectors: [], preferred: [] };
  const { winner } = electAnnouncer({
    service: {
      key: "a/b",
      labels: {},
      isLoadBalancer: true,
      addresses: [ip],
      policyLocal: false,
      sharedKeyPresent: false,
    },
    pool: "p",
    advertisements: [{ name: "x", pools: [], poolSelectors: [], ...advertisement }],
    nodes,
    endpoints: [{ nodeName: "node-01", serving: true }],
  });
  return winner ?? "";
}

export async function lab(nodes = 3): Promise<Lab> {
  const made = new Lab(nodes);
  made.pool();
  made.advertise();
  await made.startAll(nodes);
  return made;
}

export const holds = (l: Lab) =>
  l.objects<AddressHold>(ADDRESS_HOLDS).map(({ metadata, spec }) => ({ ...spec, name: metadata.name }));
export const findings = (l: Lab) => l.objects(SPEAKER_STATES).flatMap(({ status }) => status?.findings ?? []);
export const warnings = (l: Lab) =>
  l.objects(EVENTS).flatMap(({ type, reason, message }) => (type === "Warning" ? `${reason}: ${message}` : []));
export const announced = (l: Lab, ip: string) =>
  l.seen.filter(({ packet }) => packet.senderIp === ip && packet.targetIp === ip && packet.senderMac !== STRANGER);
export const move = (l: Lab, ip: string) =>
  l.cluster.patch(
    SERVICES,
    { namespace: "default", name: "nginx" },
    { kind: "merge", body: { status: { loadBalancer: { ingress: [{ ip }] } } } },
  );
