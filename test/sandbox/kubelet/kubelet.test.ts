// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell scripts
import { existsSync, readFileSync } from "node:fs";
import { Agent, get as httpGet } from "node:http";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Pod } from "#api/kubernetes/pods";
import { CONFIG_MAPS, LEASES, NODES, PODS, SECRETS } from "#api/resources";
import { soon } from "../../support/soon.ts";
import { Rig } from "./rig.ts";

const open: Rig[] = [];
let number = 200;
function rig(): Rig {
  const made = new Rig(number++);
  open.push(made);
  return made;
}
afterEach(async () => {
  for (const made of open.splice(0)) await made.close();
});

const demo = {
  initContainers: [
    {
      name: "init-nginx",
      image: "busybox:1.28",
      command: ["sh", "-c", 'echo "POD: ${POD_NAME}\t NODE: ${NODE_NAME}" > /opt/nginx/index.html'],
      env: [
        { name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
        { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      ],
      volumeMounts: [{ name: "nginx-data", mountPath: "/opt/nginx" }],
    },
  ],
  containers: [
    {
      name: "nginx",
      image: "nginx:latest",
      ports: [{ containerPort: 80 }],
      volumeMounts: [{ name: "nginx-data", mountPath: "/usr/share/nginx/html" }],
    },
  ],
  volumes: [{ name: "nginx-data", emptyDir: {} }],
};

const busybox = (script: string, more: object = {}) => ({
  containers: [{ name: "main", image: "busybox", command: ["sh", "-c", script], ...more }],
});

async function fetchPod(made: Rig, name: string, url = "/", agent?: Agent) {
  const at = made.network.lookup(made.pod(name)?.status?.podIP ?? "", 80, "TCP");
  return new Promise<{ status: number; body: string; headers: Record<string, unknown> }>((resolve, reject) => {
    httpGet({ host: at?.address, port: at?.port, path: url, ...(agent === undefined ? {} : { agent }) }, (response) => {
      let body = "";
      response.on("data", (data) => (body += data));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
    }).on("error", reject);
  });
}

const state = (pod: Pod | undefined, index = 0) => pod?.status?.containerStatuses?.[index];

describe("a kubelet", () => {
  it("runs the demo's pod: init container, shared volume, nginx, status and Events as a kubelet writes them", async () => {
    const made = rig();
    await made.run("demo", demo);
    const pod = await made.ready("demo");
    expect(await fetchPod(made, "demo")).toMatchObject({
      status: 200,
      body: `POD: demo\t NODE: ${made.node}\n`,
      headers: { "content-type": "text/html" },
    });
    expect(pod.status).toMatchObject({
      phase: "Running",
      podIP: `10.244.${made.number}.2`,
      podIPs: [{ ip: `10.244.${made.number}.2` }],
      hostIP: `127.77.0.${made.number}`,
      initContainerStatuses: [
        {
          name: "init-nginx",
          ready: true,
          restartCount: 0,
          state: { terminated: { exitCode: 0, reason: "Completed" } },
        },
      ],
      containerStatuses: [{ name: "nginx", ready: true, started: true, restartCount: 0, image: "nginx:latest" }],
    });
    expect(pod.status?.conditions?.map(({ type, status }) => `${type} ${status}`)).toEqual([
      "PodReadyToStartContainers True",
      "Initialized True",
      "Ready True",
      "ContainersReady True",
      "PodScheduled True",
    ]);
    await made.until("six Events", () => made.events("demo").length === 6);
    expect(made.events("demo")).toEqual([
      'Pulled Container image "busybox:1.28" already present on machine and can be accessed by the pod',
      "Created Container created",
      "Started Container started",
      'Pulled Container image "nginx:latest" already present on machine and can be accessed by the pod',
      "Created Container created",
      "Started Container started",
    ]);
    await made.until("an access log", () => made.log("demo", "nginx").includes('"GET / HTTP/1.1" 200'));
  });

  it("registers its node and keeps its Lease fresh", async () => {
    const made = rig();
    const node = await made.until("a ready node", () => {
      const seen = made.objects.cache(NODES).get(made.node);
      return seen?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") && seen;
    });
    expect(node).toMatchObject({
      metadata: { labels: { "kubernetes.io/hostname": made.node, "topology.kubernetes.io/zone": `z${made.number}` } },
      spec: { podCIDR: `10.244.${made.number}.0/24` },
      status: {
        nodeInfo: { kubeletVersion: "v1.36.2", osImage: "Berth sandbox", containerRuntimeVersion: "berth://0.1.0" },
      },
    });
    const lease = await made.until("a Lease", () => made.objects.cache(LEASES).get(`kube-node-lease/${made.node}`));
    expect(lease.spec).toMatchObject({ holderIdentity: made.node, leaseDurationSeconds: 4 });
    await made.until("a renewed Lease", () => {
      return made.objects.cache(LEASES).get(`kube-node-lease/${made.node}`)?.spec?.renewTime !== lease.spec?.renewTime;
    });
  });

  it("writes nothing more once a pod is running", async () => {
    const made = rig();
    await made.run("demo", demo);
    await made.ready("demo");
    // The last Events are written when it is ready already.
    await made.until("six Events", () => made.events("demo").length === 6);
    const writes = () => made.objects.writes.filter(({ kind }) => kind !== "Lease").length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = writes();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(writes()).toBe(before);
  });

  it("serves on while a deleted pod's endpoint is being removed, then removes the pod and its files", async () => {
    const made = rig();
    await made.run("demo", demo);
    await made.ready("demo");
    const agent = new Agent({ keepAlive: true });
    await fetchPod(made, "demo", "/", agent);
    const uid = made.uid("demo");
    await made.objects.remove(PODS, { namespace: "default", name: "demo" }, { gracePeriodSeconds: 30 });
    await made.until("it is told to end", () => made.log("demo", "nginx").includes("(SIGTERM) received"));
    expect(await fetchPod(made, "demo", "/", agent)).toMatchObject({ status: 200, headers: { connection: "close" } });
    await made.until("the pod is gone", () => made.pod("demo") === undefined);
    await made.until("its files are gone", () => !made.podDirectories().includes(uid));
    agent.destroy();
  });

  it("starts pods again after a restart: same name, same address, one restart counted, init containers run again", async () => {
    const made = rig();
    await made.run("first", demo);
    await made.ready("first");
    await made.run("second", demo);
    const before = await made.ready("second");
    await made.restart();
    await made.until("a restart is counted", () => state(made.pod("second"))?.restartCount === 1);
    const after = await made.ready("second");
    expect(after.status?.podIP).toBe(before.status?.podIP);
    expect(after.status?.startTime).toBe(before.status?.startTime);
    expect(state(after)).toMatchObject({ lastState: { terminated: { exitCode: 255, reason: "Unknown" } } });
    expect(await fetchPod(made, "second")).toMatchObject({ status: 200, body: `POD: second\t NODE: ${made.node}\n` });
    await made.run("third", demo);
    expect((await made.ready("third")).status?.podIP).toBe(`10.244.${made.number}.4`);
  });

  it("loses everything at once when the power goes and comes back as after a boot", async () => {
    const made = rig();
    await made.run("demo", demo);
    await made.ready("demo");
    await made.kubelet.powerOff();
    await expect(fetchPod(made, "demo")).rejects.toThrow("ECONNREFUSED");
    const lease = () => made.objects.cache(LEASES).get(`kube-node-lease/${made.node}`)?.spec?.renewTime;
    const stale = lease();
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(lease()).toBe(stale);
    expect(state(made.pod("demo"))).toMatchObject({ ready: true, restartCount: 0 });
    made.kubelet.powerOn();
    await made.until("a restart is counted", () => state(made.pod("demo"))?.restartCount === 1);
    await made.ready("demo");
    expect(await fetchPod(made, "demo")).toMatchObject({ status: 200 });
  });

  it("restarts a failing container at once, then backs off in a kubelet's words", async () => {
    const made = rig();
    await made.run("crash", busybox("echo try; exit 3"));
    const pod = await made.until("a crash loop", () => {
      const seen = made.pod("crash");
      return (state(seen)?.state?.waiting as { reason?: string } | undefined)?.reason === "CrashLoopBackOff" && seen;
    });
    const uid = made.uid("crash");
    expect(state(pod)).toMatchObject({
      restartCount: 1,
      ready: false,
      state: { waiting: { message: `back-off 10s restarting failed container=main pod=crash_default(${uid})` } },
      lastState: { terminated: { exitCode: 3, reason: "Error" } },
    });
    expect(pod.status?.phase).toBe("Running");
    await made.until("a BackOff Event", () =>
      made.events("crash").includes(`BackOff Back-off restarting failed container main in pod crash_default(${uid})`),
    );
    expect(made.log("crash", "main", 1)).toBe("try\n");
  });

  it.each([
    ["Never", "exit 0", "Succeeded"],
    ["Never", "exit 1", "Failed"],
    ["OnFailure", "true", "Succeeded"],
  ])("with restartPolicy %s and `%s` the pod ends as %s", async (restartPolicy, script, phase) => {
    const made = rig();
    await made.run("job", { ...busybox(script), restartPolicy });
    const pod = await made.until("an end", () => made.pod("job")?.status?.phase === phase && made.pod("job"));
    expect(state(pod)).toMatchObject({ restartCount: 0, ready: false });
    await made.objects.remove(PODS, { namespace: "default", name: "job" });
    await made.until("the pod is gone", () => made.pod("job") === undefined);
  });

  it("explains an image that it cannot run, and runs it once it is changed", async () => {
    const made = rig();
    await made.run("odd", { containers: [{ name: "main", image: "redis:7" }] });
    const pod = await made.until("a refusal", () => {
      const waiting = state(made.pod("odd"))?.state?.waiting as { reason?: string; message?: string } | undefined;
      return waiting?.reason === "ErrImagePull" && waiting;
    });
    expect(pod.message).toContain("nginx, busybox, kube-proxy and berth");
    expect(made.pod("odd")?.status?.phase).toBe("Pending");
    const body = { spec: { containers: [{ name: "main", image: "nginx" }] } };
    await made.objects.patch(PODS, { namespace: "default", name: "odd" }, { kind: "merge", body });
    await made.ready("odd");
    expect((await fetchPod(made, "odd")).body).toContain("Welcome to nginx!");
  });

  it("gives a container its configuration and says what is missing", async () => {
    const made = rig();
    const script = 'echo "$A $B $C $LABEL $0"; cat /etc/app/colour /etc/info/labels; echo; sleep infinity';
    const spec = busybox(script, {
      args: ["$(A)-$$(A)-$(NOPE)"],
      env: [
        { name: "A", valueFrom: { configMapKeyRef: { name: "app", key: "colour" } } },
        { name: "B", valueFrom: { secretKeyRef: { name: "gone", key: "x", optional: true } } },
        { name: "C", value: "<$(A)>" },
        { name: "LABEL", valueFrom: { fieldRef: { fieldPath: "metadata.labels['tier']" } } },
      ],
      volumeMounts: [
        { name: "app", mountPath: "/etc/app" },
        { name: "info", mountPath: "/etc/info" },
      ],
    });
    const volumes = [
      { name: "app", configMap: { name: "app" } },
      { name: "info", downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
    ];
    await made.run("env", { ...spec, volumes }, { labels: { tier: "front" } });
    await made.until("a sentence", () =>
      made.events("env").includes('FailedMount MountVolume.SetUp failed for volume "app" : configmap "app" not found'),
    );
    const metadata = { namespace: "default", name: "app" };
    await made.objects.create(CONFIG_MAPS, { apiVersion: "v1", kind: "ConfigMap", metadata, data: { colour: "blue" } });
    await made.until(
      "its output",
      () => state(made.pod("env"))?.state?.running && made.log("env", "main").includes('tier="front"\n'),
    );
    expect(made.log("env", "main")).toBe('blue  <blue> front blue-$(A)-$(NOPE)\nbluetier="front"\n');
  });

  it("shows a changed ConfigMap in a running pod's volume, all files at once", async () => {
    const made = rig();
    const metadata = { namespace: "default", name: "page" };
    const data = { "index.html": "one", "old.html": "old" };
    await made.objects.create(CONFIG_MAPS, { apiVersion: "v1", kind: "ConfigMap", metadata, data });
    await made.run("web", {
      containers: [
        { name: "nginx", image: "nginx", volumeMounts: [{ name: "page", mountPath: "/usr/share/nginx/html" }] },
      ],
      volumes: [{ name: "page", configMap: { name: "page" } }],
    });
    await made.ready("web");
    expect((await fetchPod(made, "web")).body).toBe("one");
    const patch = { kind: "merge", body: { data: { "index.html": "two", "old.html": null } } } as const;
    await made.objects.patch(CONFIG_MAPS, metadata, patch);
    made.kubelet.configurationChanged("default", "page");
    await soon(async () => expect((await fetchPod(made, "web")).body).toBe("two"));
    expect((await fetchPod(made, "web", "/old.html")).status).toBe(404);
  });

  it("restarts a container whose liveness probe fails and keeps one unready whose readiness probe fails", async () => {
    const made = rig();
    const httpGet = { path: "/missing.html", port: 80 };
    await made.run("sick", {
      terminationGracePeriodSeconds: 2,
      containers: [
        {
          name: "nginx",
          image: "nginx",
          livenessProbe: { httpGet, periodSeconds: 1, failureThreshold: 1 },
          readinessProbe: { httpGet, periodSeconds: 1 },
        },
      ],
    });
    await made.until("a restart", () => (state(made.pod("sick"))?.restartCount ?? 0) >= 1);
    expect(made.events("sick")).toContain("Unhealthy Liveness probe failed: HTTP probe failed with statuscode: 404");
    expect(made.events("sick")).toContain("Killing Container nginx failed liveness probe, will be restarted");
    expect(made.pod("sick")?.status?.conditions?.find(({ type }) => type === "Ready")).toMatchObject({
      status: "False",
      reason: "ContainersNotReady",
      message: "containers with unready status: [nginx]",
    });
  });

  it("runs Berth's image as a real process with credentials, a lifeline and its node's link", async () => {
    const made = rig();
    const account = { mountPath: "/var/run/secrets/kubernetes.io/serviceaccount", name: "kube-api-access" };
    const sources = [
      { serviceAccountToken: { path: "token", expirationSeconds: 3607 } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      { downwardAPI: { items: [{ path: "namespace", fieldRef: { fieldPath: "metadata.namespace" } }] } },
    ];
    await made.run("speaker", {
      hostNetwork: true,
      serviceAccountName: "speaker",
      terminationGracePeriodSeconds: 60,
      containers: [
        { name: "speaker", image: "berth:0.1.0", args: ["speaker", "--port=9120"], volumeMounts: [account] },
      ],
      volumes: [{ name: "kube-api-access", projected: { sources } }],
    });
    await made.until(
      "its output",
      () => state(made.pod("speaker"))?.state?.running && made.log("speaker", "speaker").includes("token"),
    );
    const address = `127.77.0.${made.number}`;
    expect(made.log("speaker", "speaker")).toBe(
      `args speaker --port=9120\nbind ${address} link lan://${made.node}\ntoken default/speaker/speaker in default\n`,
    );
    expect(made.pod("speaker")?.status?.podIP).toBe(address);
    const file = path.join(made.dataDir, "run/nodes-children.json");
    const [child] = JSON.parse(readFileSync(file, "utf8")) as { pid: number; startTime: string }[];
    expect(child?.startTime).toMatch(/^\d+$/);
    process.kill(child?.pid ?? 0, "SIGKILL");
    await made.until(
      "a restart",
      () => state(made.pod("speaker"))?.restartCount === 1 && state(made.pod("speaker"))?.state?.running,
    );
    expect(state(made.pod("speaker"))).toMatchObject({ lastState: { terminated: { exitCode: 137, reason: "Error" } } });
    await made.until("its output", () => made.log("speaker", "speaker", 1).includes("token"));
    await made.objects.remove(PODS, { namespace: "default", name: "speaker" });
    // It ends by itself when it is asked to: SIGKILL would come after a minute.
    await made.until("the pod is gone", () => made.pod("speaker") === undefined);
    expect(readFileSync(file, "utf8")).toBe("[]\n");
  });

  it("lets kube-proxy take over its configuration at its start, and fails it on a bad one", async () => {
    const made = rig();
    const metadata = { namespace: "default", name: "kube-proxy" };
    const config = (mode: string) => `kind: KubeProxyConfiguration\nmode: ${mode}\nipvs: {strictARP: true}\n`;
    await made.objects.create(CONFIG_MAPS, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata,
      data: { "config.conf": config("ipvs") },
    });
    const spec = {
      hostNetwork: true,
      containers: [
        {
          name: "kube-proxy",
          image: "registry.example/kube-proxy:v1.36.2",
          command: ["/usr/local/bin/kube-proxy", "--config=/var/lib/kube-proxy/config.conf"],
          volumeMounts: [{ name: "config", mountPath: "/var/lib/kube-proxy" }],
        },
      ],
      volumes: [{ name: "config", configMap: { name: "kube-proxy" } }],
    };
    await made.run("good", spec);
    await made.ready("good");
    expect(made.proxies).toEqual([[made.node, { mode: "ipvs", strictArp: true }]]);
    await made.objects.patch(CONFIG_MAPS, metadata, {
      kind: "merge",
      body: { data: { "config.conf": config("magic") } },
    });
    await made.run("bad", spec);
    await made.until("a failure", () => (state(made.pod("bad"))?.restartCount ?? 0) >= 1);
    expect(made.log("bad", "kube-proxy", 0)).toContain('mode: "magic" is not one of iptables, ipvs, nftables');
    expect(made.proxies).toHaveLength(1);
  });

  it("survives pods that make no sense", async () => {
    const made = rig();
    await made.run("empty", {});
    await made.run("odd", { containers: "nginx", volumes: 7, initContainers: [null] });
    await made.run("mounts", {
      containers: [{ name: "a", image: "nginx", volumeMounts: [{ name: "no", mountPath: "/x" }] }],
    });
    await made.run("host", { ...busybox("true"), volumes: [{ name: "h", hostPath: { path: "/" } }] });
    await made.run("demo", demo);
    await made.ready("demo");
    await made.until("a sentence about the mount", () =>
      made
        .events("mounts")
        .some((text) => text.includes('volumeMounts name volume "no", which the pod does not define')),
    );
    await made.until("a sentence about hostPath", () =>
      made.events("host").some((text) => text.includes("does not support hostPath volumes")),
    );
    expect(existsSync(path.join(made.dataDir, "pods"))).toBe(true);
  });

  it("mounts a Secret that may be missing, and shows it when it comes", async () => {
    const made = rig();
    const mounts = [{ name: "key", mountPath: "/etc/key", readOnly: true }];
    const script = "until [ -f /etc/key/secretkey ]; do sleep 0.05; done; cat /etc/key/secretkey; echo; sleep infinity";
    await made.run("late", {
      ...busybox(script, { volumeMounts: mounts }),
      volumes: [{ name: "key", secret: { secretName: "memberlist", optional: true } }],
    });
    await made.ready("late");
    const metadata = { namespace: "default", name: "memberlist" };
    const data = { secretkey: Buffer.from("psst").toString("base64") };
    await made.objects.create(SECRETS, { apiVersion: "v1", kind: "Secret", metadata, data });
    made.kubelet.configurationChanged("default", "memberlist");
    await made.until("it is shown", () => made.log("late", "main").includes("psst"));
    await made.objects.remove(PODS, { namespace: "default", name: "late" }, { gracePeriodSeconds: 1 });
    await made.until("the pod is gone", () => made.pod("late") === undefined);
  });
});
