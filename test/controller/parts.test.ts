import { describe, expect, it } from "vitest";
import { withConditions } from "#api/conditions";
import type { ConfigMap } from "#api/kubernetes/cluster";
import { ANNOTATION, DEPRECATED_PREFIX } from "#api/names";
import { CONFIG_MAPS } from "#api/resources";
import { Background } from "#controller/background";
import { toNodeFacts } from "#controller/facts";
import { isNewer, Latest } from "#controller/latest";
import { serviceAnnotation } from "#core/service-view";
import { silentLog } from "#runtime/log";
import { MemoryServer } from "../support/memory-cluster.ts";
import { settle, VirtualClock } from "../support/virtual-clock.ts";
import { node, speaker } from "./rig.ts";

const map = (data: string): ConfigMap => ({ metadata: { name: "m", namespace: "n" }, data: { data } });

describe("Latest", () => {
  it("shows what was written until the cache shows it or something newer", () => {
    const server = new MemoryServer(new VirtualClock());
    server.set(CONFIG_MAPS, map("seen"));
    const cluster = server.connect();
    const latest = new Latest(cluster.cache(CONFIG_MAPS));
    cluster.lag = true;
    const written = server.set(CONFIG_MAPS, map("written"));
    expect(latest.get("n/m")?.data?.data).toBe("seen");
    latest.put("n/m", written);
    expect(latest.get("n/m")?.data?.data).toBe("written");
    server.set(CONFIG_MAPS, map("by somebody else"));
    cluster.deliver();
    expect(latest.get("n/m")?.data?.data).toBe("by somebody else");
    latest.put("n/m", written);
    expect(latest.get("n/m")?.data?.data).toBe("by somebody else");
  });

  it("lets go when the object is gone", () => {
    const server = new MemoryServer(new VirtualClock());
    server.set(CONFIG_MAPS, map("seen"));
    const cluster = server.connect();
    const latest = new Latest(cluster.cache(CONFIG_MAPS));
    cluster.lag = true;
    latest.put("n/m", server.set(CONFIG_MAPS, map("written")));
    server.delete(CONFIG_MAPS, "n/m");
    cluster.deliver();
    expect(latest.get("n/m")).toBeUndefined();
  });

  it("compares versions as numbers, not as text", () => {
    const at = (resourceVersion: string) => ({ metadata: { resourceVersion } });
    expect(isNewer(at("1000"), at("999"))).toBe(true);
    expect(isNewer(at("999"), at("1000"))).toBe(false);
    expect(isNewer(at("7"), at("7"))).toBe(false);
  });
});

describe("Background", () => {
  const make = (idle: () => boolean, capacity = 10) => {
    const clock = new VirtualClock();
    const ran: string[] = [];
    const signal = new AbortController().signal;
    const background = new Background({ clock, log: silentLog, signal, idle, capacity, concurrency: 1 });
    return { clock, ran, background, task: (name: string) => async () => void ran.push(name) };
  };

  it("waits for the urgent work, but not for ever", async () => {
    const { clock, ran, background, task } = make(() => false);
    background.add(task("event"));
    await clock.run(25_000, 100);
    expect(ran).toEqual([]);
    await clock.run(6000, 100);
    expect(ran).toEqual(["event"]);
  });

  it("runs keyed tasks first, once, and never drops them", async () => {
    let idle = false;
    const { clock, ran, background, task } = make(() => idle, 2);
    for (const name of ["one", "two", "three"]) background.add(task(name));
    background.addKeyed("a", task("a1"));
    background.addKeyed("a", task("a2"));
    background.addKeyed("b", task("b"));
    idle = true;
    await clock.run(100);
    expect(ran).toEqual(["a2", "b", "one", "two"]);
  });

  it("goes on after a task that throws", async () => {
    const { ran, background, task } = make(() => true);
    background.add(() => Promise.reject(new Error("no")));
    background.add(task("next"));
    await settle();
    expect(ran).toEqual(["next"]);
  });
});

describe("withConditions", () => {
  const now = "2026-01-02T00:00:00Z";
  const present = [
    { type: "other", status: "True" },
    { type: "mine", status: "True", reason: "R", message: "m", lastTransitionTime: "2026-01-01T00:00:00Z" },
  ];
  const mine = { type: "mine", status: "True", reason: "R", message: "m" } as const;

  it("is null when nothing changes", () => expect(withConditions(present, [mine], { now })).toBeNull());

  it("keeps the time of the last transition while the status stays", () => {
    const changed = withConditions(present, [{ ...mine, message: "new" }], { now });
    expect(changed?.[1]).toMatchObject({ message: "new", lastTransitionTime: "2026-01-01T00:00:00Z" });
    expect(withConditions(present, [{ ...mine, status: "False" }], { now })?.[1]?.lastTransitionTime).toBe(now);
  });

  it("leaves the conditions of others alone and takes out its own", () => {
    expect(withConditions(present, [], { now, absent: ["mine"] })).toEqual([{ type: "other", status: "True" }]);
  });
});

describe("toNodeFacts", () => {
  const nodes = ["a", "b", "c"].map(node);
  const says = (own: string, alive: readonly string[]) =>
    speaker(own, [], {
      members: ["a", "b", "c"].map((each) => ({ node: each, alive: alive.includes(each), ready: true })),
    });
  const aliveOf = (states: readonly ReturnType<typeof speaker>[]) =>
    toNodeFacts(nodes, states)
      .filter(({ alive }) => alive)
      .map(({ name }) => name);

  it("believes the living about the dead", () => {
    expect(aliveOf([says("a", ["a", "b", "c"]), says("b", ["b", "c"]), says("c", ["b", "c"])])).toEqual(["b", "c"]);
  });

  it("takes no node for alive that has no speaker", () => {
    expect(aliveOf([says("a", ["a", "b", "c"])])).toEqual(["a"]);
    expect(aliveOf([])).toEqual([]);
  });
});

describe("annotation names", () => {
  it("are the same in core, which may not import them, and in the API", () => {
    const annotations = { [ANNOTATION.addressPool]: "p", [`${DEPRECATED_PREFIX}allow-shared-ip`]: "k" };
    expect(serviceAnnotation(annotations, "address-pool")).toBe("p");
    expect(serviceAnnotation(annotations, "allow-shared-ip")).toBe("k");
  });
});
