import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Pod } from "#api/kubernetes/pods";
import { PODS } from "#api/resources";
import { Rig } from "./rig.ts";

let made: Rig;
let number = 230;
beforeEach(() => {
  made = new Rig(number++);
});
afterEach(() => made.close());

const container = (more: object) => ({
  containers: [{ name: "main", image: "busybox", command: ["sh", "-c", "touch /started; sleep 600"], ...more }],
});
const exec = (...command: string[]) => ({ exec: { command } });
/** As the API server marks it: the kubelet confirms when the pod has ended. */
async function remove(name: string, seconds: number): Promise<void> {
  const metadata = { deletionTimestamp: new Date().toISOString(), deletionGracePeriodSeconds: seconds };
  await made.objects.patch(PODS, { namespace: "default", name }, { kind: "merge", body: { metadata } } as never);
}
const gone = (name: string) => made.until(`${name} is gone`, () => made.pod(name) === undefined, 20_000);
const isReady = (pod: Pod | undefined) =>
  pod?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

describe("an exec probe", () => {
  it("runs in the container's own files: ready when its command succeeds", async () => {
    await made.run("ok", container({ readinessProbe: { ...exec("cat", "/started"), periodSeconds: 1 } }));
    expect(isReady(await made.ready("ok"))).toBe(true);
  });

  it("that fails says what the command printed, and one the sandbox cannot run says that", async () => {
    await made.run("bad", container({ readinessProbe: { ...exec("cat", "/nope"), periodSeconds: 1 } }));
    await made.run("odd", container({ readinessProbe: { ...exec("pg_isready"), periodSeconds: 1 } }));
    await made.until(
      "both said",
      () => [...made.events("bad"), ...made.events("odd")].filter((one) => /Unhealthy/.test(one)).length >= 2,
      20_000,
    );
    expect(made.events("bad")).toContain(
      "Unhealthy Readiness probe failed: cat: can't open '/nope': No such file or directory",
    );
    expect(made.events("odd").find((one) => one.startsWith("Unhealthy"))).toMatch(
      /^Unhealthy Readiness probe errored: .*"pg_isready": not supported by the small shell of Berth's sandbox$/,
    );
    expect([isReady(made.pod("bad")), isReady(made.pod("odd"))]).toEqual([false, false]);
  });
});

describe("a preStop hook", () => {
  it("runs before the container is stopped, and may use its files", async () => {
    const lifecycle = { preStop: exec("sh", "-c", "touch /asked; sleep 1; echo done > /started") };
    const script = "while [ ! -f /asked ]; do sleep 0.1; done; echo hook ran; sleep 600";
    await made.run("p", {
      ...container({ lifecycle, command: ["sh", "-c", script] }),
      terminationGracePeriodSeconds: 30,
    });
    await made.ready("p");
    await remove("p", 30);
    await made.until("the hook ran while the container did", () => made.log("p", "main").includes("hook ran"));
    await gone("p");
    expect(made.events("p").filter((one) => /Hook/.test(one))).toEqual([]);
  });

  it("is cut off when the grace period is over", async () => {
    await made.run("long", container({ lifecycle: { preStop: { sleep: { seconds: 600 } } } }));
    await made.ready("long");
    await remove("long", 1);
    await gone("long");
  });

  it("that fails is told by an Event, and the container is stopped all the same", async () => {
    await made.run("failing", container({ lifecycle: { preStop: { httpGet: { port: 8080 } } } }));
    await made.ready("failing");
    await remove("failing", 5);
    await gone("failing");
    await made.until("told", () =>
      made.events("failing").some((one) => one.startsWith("FailedPreStopHook PreStopHook failed: ")),
    );
  });
});

describe("a postStart hook", () => {
  it("that succeeds goes unnoticed", async () => {
    await made.run("fine", container({ lifecycle: { postStart: exec("sh", "-c", "echo x > /y") } }));
    await made.ready("fine");
    expect(made.events("fine").some((one) => /Hook/.test(one))).toBe(false);
  });

  it("that fails has the container killed and started again", async () => {
    const spec = {
      ...container({ lifecycle: { postStart: exec("sh", "-c", "echo no; exit 2") } }),
      terminationGracePeriodSeconds: 1,
    };
    await made.run("broken", spec);
    await made.until(
      "started again",
      () => (made.pod("broken")?.status?.containerStatuses?.[0]?.restartCount ?? 0) > 0,
    );
    expect(made.events("broken")).toContain(
      "FailedPostStartHook PostStartHook failed: command 'sh -c echo no; exit 2' exited with 2: no",
    );
    expect(made.events("broken")).toContain("Killing FailedPostStartHook");
  });
});
