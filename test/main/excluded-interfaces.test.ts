import { describe, expect, it } from "vitest";
import { excludedInterfaces, followExcluded } from "#main/excluded-interfaces";
import { jsonLog, silentLog } from "#runtime/log";
import { VirtualClock } from "../support/virtual-clock.ts";

async function read(text: string | null) {
  const lines: string[] = [];
  const patterns = await excludedInterfaces(text, jsonLog({ write: (line) => lines.push(line) }));
  const excludes = (name: string) => patterns.some((pattern) => pattern.test(name));
  return { excludes, complaints: lines.map((line) => JSON.parse(line).problem as string) };
}

describe("the interfaces that are left alone", () => {
  it("are container networks and loopback where nothing is said", async () => {
    const { excludes, complaints } = await read(null);
    const names = [
      "docker0",
      "cbr0",
      "dummy1",
      "virbr0",
      "veth12ab",
      "cali9",
      "tunl0",
      "flannel.1",
      "kube-ipvs0",
      "cni0",
      "lxc1",
    ];
    expect(names.filter((name) => !excludes(name))).toEqual([]);
    expect(["eth0", "ens18", "bond0", "lo1", "br0", "vlan.100"].filter(excludes)).toEqual([]);
    expect(excludes("lo")).toBe(true);
    expect(complaints).toEqual([]);
  });

  it("are those of the list instead, where there is one", async () => {
    const { excludes } = await read("announcedInterfacesToExclude:\n- ^wlan\n- 'p2p'\n");
    expect([excludes("wlan0"), excludes("xp2p1"), excludes("docker0")]).toEqual([true, true, false]);
  });

  it("may be none", async () => {
    const { excludes, complaints } = await read("announcedInterfacesToExclude: []\n");
    expect([excludes("lo"), complaints]).toEqual([false, []]);
  });

  it("leave out an entry that is no regular expression, and keep the rest", async () => {
    const { excludes, complaints } = await read("announcedInterfacesToExclude: ['^(eth', '^wlan']\n");
    expect(excludes("wlan0")).toBe(true);
    expect(complaints).toEqual([expect.stringContaining('"^(eth"')]);
  });

  it.each([
    ["text that is no YAML", "a: b: c"],
    ["another key", "exclude: [a]"],
    ["a list of something else", "announcedInterfacesToExclude: [{a: 1}]"],
    ["no list", "announcedInterfacesToExclude: eth0"],
    ["nothing", "# empty"],
  ])("stay the default for %s, and that is said", async (_name, text) => {
    const { excludes, complaints } = await read(text);
    expect([excludes("docker0"), excludes("eth0")]).toEqual([true, false]);
    expect(complaints).toEqual([expect.stringContaining("the default is used")]);
  });

  it("are read again while the speaker runs, within two seconds of a change, and the default when the file is gone", async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    let text: string | null = "announcedInterfacesToExclude: [^lo$]";
    const onChange = (list: readonly RegExp[]) => seen.push(list.map(({ source }) => source).join());
    const stop = followExcluded(() => text, text, { clock, log: silentLog, onChange });
    await clock.run(5000, 50);
    expect(seen).toEqual([]);
    text = "announcedInterfacesToExclude: [^lo$, ^eth1$]";
    await clock.run(2100, 50);
    expect(seen).toEqual(["^lo$,^eth1$"]);
    text = null;
    await clock.run(2100, 50);
    expect(seen).toHaveLength(2);
    expect(seen[1]).toContain("^docker.*");
    stop();
    text = "announcedInterfacesToExclude: []";
    await clock.run(5000, 50);
    expect(seen).toHaveLength(2);
  });
});
