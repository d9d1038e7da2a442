import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FOREIGN_HOSTS } from "#api/names";
import { CONFIG_MAPS } from "#api/resources";
import { arpRequest, decodeArp } from "#core/arp";
import { silentLog } from "#runtime/log";
import type { LanPort } from "#sandbox/lan/node-port";
import { type Lan, startLan } from "#sandbox/lan/start";
import { followForeignHosts } from "#sandbox/nodes/foreign-hosts";
import { startTestApi, type TestApi } from "../../support/api-server.ts";
import { eventually } from "../../support/berth.ts";

const ASKER = "02:be:77:00:00:01";
const IP = "127.77.10.5";

describe("a foreign host of a drill", () => {
  let api: TestApi;
  let lan: Lan;
  let asker: LanPort;
  let unplug: () => void;
  const heard: string[] = [];
  const write = (data: Record<string, string | null>) =>
    api.server.objects.patch(CONFIG_MAPS, FOREIGN_HOSTS, { kind: "merge", body: { data } });
  const ask = (targetIp: string) => asker.send(arpRequest({ senderMac: ASKER, senderIp: "127.77.0.1", targetIp }));

  beforeEach(async () => {
    heard.length = 0;
    api = await startTestApi();
    lan = await startLan({ log: silentLog });
    asker = lan.attach(ASKER);
    asker.onFrame((frame) => {
      const packet = decodeArp(frame);
      if (typeof packet !== "string" && packet.operation === 2) heard.push(`${packet.senderIp} ${packet.senderMac}`);
    });
    await api.server.objects.cache(CONFIG_MAPS).whenSynced();
    await api.server.objects.create(CONFIG_MAPS, { metadata: { ...FOREIGN_HOSTS }, data: {} });
    unplug = followForeignHosts({ objects: api.server.objects, lan, log: silentLog });
  });
  afterEach(async () => {
    unplug();
    asker.close();
    await lan.close();
    await api.close();
  });

  it("announces itself, answers for its address and no other, and is silent once it is unplugged", async () => {
    await write({ [IP]: "", printer: "", "2001.db8": "" });
    await eventually("an announcement", 10_000, async () => heard[0] ?? null);
    expect(heard).toEqual([`${IP} 52:54:00:4d:0a:05`]);
    heard.length = 0;
    ask("127.77.10.6");
    ask(IP);
    await eventually("an answer", 10_000, async () => heard[0] ?? null);
    expect(heard).toEqual([`${IP} 52:54:00:4d:0a:05`]);
    await write({ [IP]: null });
    await eventually("silence", 10_000, async () => {
      heard.length = 0;
      ask(IP);
      await new Promise((resolve) => setTimeout(resolve, 50));
      return heard.length === 0 ? true : null;
    });
  });
});
