import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLog } from "#runtime/log";
import { Catalog } from "#sandbox/apiserver/catalog";
import { expireEvents } from "#sandbox/apiserver/event-ttl";
import { builtinKinds } from "#sandbox/kinds/registry";
import { openStore, type Store } from "#sandbox/store/sqlite";
import { VirtualClock } from "../../support/virtual-clock.ts";

const HOUR_MS = 3_600_000;

let store: Store;
beforeEach(() => {
  store = openStore({ path: ":memory:", log: silentLog });
});
afterEach(() => store.close());

function sweep(clock: VirtualClock): string[] {
  expireEvents({ store, clock, catalog: new Catalog(builtinKinds(), store) }, silentLog);
  return store.list("/events").map(({ key }) => key);
}

function record(name: string, at: number): void {
  const lastTimestamp = new Date(at).toISOString();
  store.put("/events", `default/${name}`, { metadata: { name, namespace: "default" }, lastTimestamp }, 0);
}

describe("Events", () => {
  it("go when nothing has renewed them for an hour", () => {
    const clock = new VirtualClock();
    record("old", clock.now() - HOUR_MS - 1000);
    record("young", clock.now() - HOUR_MS + 1000);
    expect(sweep(clock)).toEqual(["default/young"]);
  });

  it("go, the oldest first, when there are more than 5,000", () => {
    const clock = new VirtualClock();
    for (let i = 0; i < 5_003; i++) record(`e${i}`, clock.now() - (i % 100) * 1000);
    record("oldest", clock.now() - 200_000);
    const kept = sweep(clock);
    expect(kept).toHaveLength(5_000);
    expect(kept).not.toContain("default/oldest");
    for (const gone of ["e99", "e199", "e299"]) expect(kept).not.toContain(`default/${gone}`);
    expect(kept).toContain("default/e399");
  });
});
