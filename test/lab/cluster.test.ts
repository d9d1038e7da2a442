import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { LABEL } from "#api/names";
import { NODES } from "#api/resources";
import { readLab } from "../../lib/main/lab-namespaces.ts";
import { berthProcesses, eventually, killAll, processesOf } from "../support/berth.ts";
import { type Answer, nodeOf, podOf } from "../support/hammer.ts";
import { ClusterLab, macOf } from "./support/cluster-lab.ts";
import { Namespaces } from "./support/namespaces.ts";

const VIP = "10.77.10.1";
const BOUND = 45_000;
const until = (what: string, look: () => unknown) =>
  eventually(what, BOUND, async () => ((await look()) ? true : null));

/** A LoadBalancer Service for the demo's pods. */
const service = (name: string, spec: string, annotations = "") => `
apiVersion: v1
kind: Service
metadata: {name: ${name}, annotations: {${annotations}}}
spec: {type: LoadBalancer, selector: {app: my-cool-application}, ports: [{port: 80}], ${spec}}
`;
const pool = (name: string, addresses: string, advertisement = "") => `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: ${name}, namespace: metallb-system}
spec: {addresses: [${addresses}], autoAssign: false}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: ${name}, namespace: metallb-system}
spec: {ipAddressPools: [${name}]${advertisement === "" ? "" : `, ${advertisement}`}}
`;

describe.skipIf(!Namespaces.available())("a cluster of network namespaces (needs root)", { timeout: 300_000 }, () => {
  let lab: ClusterLab;

  beforeAll(async () => {
    lab = await ClusterLab.start();
  }, 120_000);
  afterAll(() => lab?.close(), 30_000);

  /** A request that may be lost, and is made again then. */
  const asks = (url: string) => lab.curl(url, "client", 2);
  const expose = async (name: string, spec: string, from: string, advertisement = "") => {
    await lab.apply(`${pool(name, from, advertisement)}---${service(name, spec, `metallb.io/address-pool: ${name}`)}`);
    return lab.addressOf(name);
  };

  describe("the way of a request", () => {
    it("one node answers ARP for the address, with its own MAC, and it is the one that says so", async () => {
      const node = await lab.settled("nginx");
      await until("one answer", () => lab.arping(VIP).join() === macOf(node));
    });

    it("leads from the client over that node to the pods of all nodes", () => {
      const nodes = new Set<string | null>();
      for (let n = 0; n < 40; n++) nodes.add(nodeOf(lab.curl(`http://${VIP}/`).stdout));
      expect([...nodes].sort()).toEqual(["node-01", "node-02", "node-03"]);
    });

    it("leads from behind a router too, and from a node, and from a pod", () => {
      const pod = lab.kubectl("get", "pods", "-l", "app=my-cool-application", "-o", "name").split(/[/\n]/)[1] ?? "";
      for (const host of ["remote", "node-01", "node-02", "node-03", pod]) {
        expect(podOf(lab.curl(`http://${VIP}/`, host).stdout), host).not.toBeNull();
      }
    });

    it("a port that no Service has is refused, not left without an answer", () => {
      expect(lab.curl(`http://${VIP}:81/`)).toMatchObject({ code: 7 });
      expect(lab.curl(`http://${VIP}:81/`).stderr).toMatch(/refused|connect/);
    });

    it("NodePorts answer on every node, and the API server under its Service's name", () => {
      const port = lab.kubectl("get", "service", "nginx", "-o", "jsonpath={.spec.ports[0].nodePort}");
      for (const host of ["10.77.0.11", "10.77.0.12", "10.77.0.13"]) {
        expect(podOf(lab.curl(`http://${host}:${port}/`).stdout)).not.toBeNull();
      }
      expect(lab.exec("node-01", "curl", "-sk", "https://10.96.0.1/version").stdout).toContain("gitVersion");
    });

    it("the API server reaches the webhooks in the controller's pod", async () => {
      const inverted = pool("inverted", "10.77.30.9-10.77.30.1");
      await until("a refusal in the webhook's words", () =>
        lab.apply(inverted).then(
          () => false,
          (error) => `${error}`.includes("inverted: it begins"),
        ),
      );
    });

    it("policy Local shows the pod the client's own address", async () => {
      await lab.apply(service("local", "externalTrafficPolicy: Local"));
      const address = await lab.addressOf("local");
      const pod = await eventually("an answer", BOUND, async () => podOf(asks(`http://${address}/`).stdout));
      await until("the pod's log", () => lab.kubectl("logs", pod, "-c", "nginx").includes("10.77.0.100 "));
    });

    it("session affinity keeps a client at one pod", async () => {
      await lab.apply(service("sticky", "sessionAffinity: ClientIP"));
      const address = await lab.addressOf("sticky");
      const pod = await eventually("an answer", BOUND, async () => podOf(asks(`http://${address}/`).stdout));
      const pods = new Set(Array.from({ length: 12 }, () => podOf(lab.curl(`http://${address}/`).stdout)));
      expect([...pods]).toEqual([pod]);
    });

    it("`berth lab` lists the hosts, runs a command there, and ends as the command does", () => {
      const berth = (...args: readonly string[]) =>
        spawnSync(process.execPath, ["bin/berth.mjs", "lab", ...args], { encoding: "utf8", timeout: 20_000 });
      const at = ["--data-dir", lab.berth.dataDir];
      expect(berth("list", ...at).stdout).toMatch(/^client .*\n[\s\S]*^default\/nginx-app-/m);
      expect(podOf(berth("exec", ...at, "client", "--", "curl", "-s", `http://${VIP}/`).stdout)).not.toBeNull();
      expect(berth("exec", ...at, "client", "sh", "-c", "exit 7").status).toBe(7);
      expect(berth("exec", ...at, "nobody", "--", "true").stderr).toContain("has no host");
    });
  });

  describe("who may announce", () => {
    it("a node selector: that node answers, and no other", async () => {
      const only = "nodeSelectors: [{matchLabels: {kubernetes.io/hostname: node-02}}]";
      const address = await expose("on-two", "", "10.77.20.1/32", only);
      await until("node-02 to answer alone", () => lab.arping(address).join() === macOf("node-02"));
    });

    it("interfaces: an advertisement for a card that no node has is answered by nobody", async () => {
      const address = await expose("no-card", "", "10.77.20.2/32", "interfaces: [eth9]");
      const other = await expose("on-card", "", "10.77.20.3/32", "interfaces: [eth0]");
      await until("the other to be answered", () => lab.arping(other).length === 1);
      expect(lab.arping(address)).toEqual([]);
    });

    it("IPv6: one node answers the solicitation with its MAC, and curl -6 reaches a pod", async () => {
      const address = await expose("six", "ipFamilies: [IPv6]", "fd77::a:1/128");
      const answers = () =>
        lab
          .exec("client", "ndisc6", "-q", "-r", "1", "-w", "1000", address, "eth0")
          .stdout.toLowerCase()
          .trim()
          .split("\n");
      const node = await lab.settled("six");
      await until("one answer", () => answers().join() === macOf(node));
      await until("a pod's answer", () =>
        podOf(lab.exec("client", "curl", "-6sS", "--max-time", "2", `http://[${address}]/`).stdout),
      );
    });

    it("ipvs without strictARP: every node answers; with it and the proxy restarted: one", async () => {
      const set = (strict: boolean) => {
        const text = lab.kubectl("get", "configmap", "kube-proxy", "-n", "kube-system", "-o", "yaml");
        return lab.apply(text.replace(/strictARP: \w+/, `strictARP: ${strict}`));
      };
      const proxies = ["daemonset", "kube-proxy", "-n", "kube-system"];
      const restart = () => lab.kubectl("rollout", "restart", ...proxies);
      await set(false);
      restart();
      await until("three answers", () => new Set(lab.arping(VIP)).size === 3);
      await set(true);
      restart();
      await until("one answer", () => lab.arping(VIP).length === 1);
      await until("every proxy to be back", () => lab.kubectl("rollout", "status", ...proxies, "--timeout=10s"));
    });

    it("a machine that has the address already: another is given out, and the hold names its MAC", async () => {
      lab.must("router", "ip", "address", "add", "10.77.20.10/32", "dev", "eth0");
      await lab.apply(pool("taken", "10.77.20.10-10.77.20.11"));
      await lab.apply(service("taken", "", "metallb.io/address-pool: taken"));
      await until("the next address", async () => (await lab.addressOf("taken")) === "10.77.20.11");
      expect(lab.kubectl("get", "addressholds", "-o", "yaml")).toContain("02:be:77:00:00:01");
    });
  });

  describe("when something fails", () => {
    const moved = (from: string) =>
      until(`another than ${from} to answer`, () => {
        const answers = lab.arping(VIP);
        return answers.length === 1 && answers[0] !== macOf(from);
      });
    /** Without asking by arping, whose answers would teach the client's kernel. */
    const clientFollows = (what: string, right: (mac: string | undefined) => boolean) =>
      until(what, () => {
        asks(`http://${VIP}/`);
        return right(lab.believed(VIP));
      });
    const another = (than: string) => (mac: string | undefined) => mac !== undefined && mac !== macOf(than);
    /** Without asking at all: what the client was told. */
    const clientKnowsAnother = (than: string) =>
      until(`the client to know another than ${than}`, () => another(than)(lab.believed(VIP)));
    const whole = async () => {
      await lab.settled("nginx");
      await clientFollows("the client to know the announcer", (mac) => {
        const announcer = lab.announcer("nginx");
        if (mac === macOf(announcer ?? "")) return true;
        throw new Error(`the client believes ${mac}, and ${announcer} says that it announces`);
      });
      await until("one answer", () => lab.arping(VIP).length === 1);
    };
    const exclude = (node: string, value: string | null) =>
      lab.cluster.patch(
        NODES,
        { name: node },
        { kind: "merge", body: { metadata: { labels: { [LABEL.excludeFromLoadBalancers]: value } } } },
      );
    const failed = (answers: readonly Answer[]) => answers.filter(({ ok }) => !ok);
    afterEach(async () => {
      for (const node of ["node-01", "node-02", "node-03"]) lab.cable(node, "up");
      await lab.freshSpeakers();
    });

    it("the speaker is killed: its successor announces itself unasked, in both forms, and no request is lost", async () => {
      const node = await lab.settled("nginx");
      await clientFollows("the client to know the node", (mac) => mac === macOf(node));
      const heard: string[] = [];
      const words = ["tcpdump", "-lnnei", "eth0", "arp and ether broadcast and arp[14:4] = 0x0a4d0a01"];
      const stop = await lab.follow("client", words, "listening on", (line) => heard.push(line));
      const load = lab.requests(`http://${VIP}/`);
      lab.signalSpeaker(node, "SIGKILL");
      await clientKnowsAnother(node);
      const successor = lab.believed(VIP) ?? "";
      const said = (form: string) =>
        heard.some((line) => line.includes(`${successor} > ff:ff:ff:ff:ff:ff`) && line.includes(form));
      await until("a request and a reply about itself", () => {
        return said(`Request who-has ${VIP}`) && said(`Reply ${VIP} is-at ${successor}`);
      });
      stop();
      expect(failed(await load.stop())).toEqual([]);
    });

    it("a connection that was open goes on, at the same pod, wherever the address moves to and back", async () => {
      const node = await lab.settled("nginx");
      await clientFollows("the client to know the node", (mac) => mac === macOf(node));
      const ask = await lab.keepAlive(VIP);
      const pods = [await ask()];
      lab.signalSpeaker(node, "SIGKILL");
      await clientKnowsAnother(node);
      pods.push(await ask());
      await whole();
      pods.push(await ask());
      await exclude(node, "");
      await clientKnowsAnother(node);
      pods.push(await ask());
      await exclude(node, null);
      await whole();
      pods.push(await ask());
      expect(new Set(pods).size).toBe(1);
    });

    it("the speaker is frozen: another answers, and once it thaws only one", async () => {
      const node = await lab.settled("nginx");
      lab.signalSpeaker(node, "SIGSTOP");
      try {
        await clientFollows("the client to know another", another(node));
      } finally {
        lab.signalSpeaker(node, "SIGCONT");
      }
      await whole();
    });

    it("the node's cable is pulled: another answers; plugged in again: one", async () => {
      const node = await lab.settled("nginx");
      lab.cable(node, "down");
      await moved(node);
      await until("an answer over the other node", () => asks(`http://${VIP}/`).code === 0);
      lab.cable(node, "up");
      await whole();
    });

    it("a partition with both sides alive: each side has its answer; healed: one again", async () => {
      const node = await lab.settled("nginx");
      // The router goes with the node, as a witness on its side.
      const plug = (bridge: string) => {
        for (const host of [node, "router"]) lab.must("switch", "ip", "link", "set", host, "master", bridge);
      };
      try {
        plug("far");
        await clientFollows("the client to know another", another(node));
        await until("the node's own answer on its side", () => lab.arping(VIP, "router").join() === macOf(node));
      } finally {
        plug("lan");
      }
      await whole();
      await until("the same one answer for both", () => {
        const answers = lab.arping(VIP);
        return answers.length === 1 && lab.arping(VIP, "router").join() === answers.join();
      });
    });

    it("the API server is away: a killed speaker is still followed by another", async () => {
      const node = await lab.settled("nginx");
      const server = berthProcesses(lab.berth.dataDir, "sandbox");
      for (const pid of server) process.kill(pid, "SIGSTOP");
      try {
        lab.signalSpeaker(node, "SIGKILL");
        await moved(node);
        expect(podOf(lab.curl(`http://${VIP}/`).stdout)).not.toBeNull();
      } finally {
        for (const pid of server) process.kill(pid, "SIGCONT");
      }
    });
  });

  describe("its end", () => {
    it("a second one beside it has the same addresses, and killed as a whole leaves nothing, and the first as it was", async () => {
      const second = await ClusterLab.start();
      try {
        await until("the second to answer", () => podOf(second.curl(`http://${VIP}/`, "client", 2).stdout));
        const first = podOf(lab.curl(`http://${VIP}/`).stdout);
        expect(lab.kubectl("get", "pods").includes(`${first} `)).toBe(true);
        const namespaces = `/proc/${readLab(second.berth.dataDir)?.pid}/ns/net`;
        expect(existsSync(namespaces)).toBe(true);
        killAll(processesOf(second.berth.dataDir));
        await until("its processes to be gone", () => processesOf(second.berth.dataDir).length === 0);
        // A process that dies has lost its command line before its namespaces, so this is waited for too.
        await until("its namespaces to be gone", () => !existsSync(namespaces));
        expect(podOf(lab.curl(`http://${VIP}/`).stdout)).not.toBeNull();
      } finally {
        await second.close();
      }
    });

    it("stopped in order, nothing of it is left", async () => {
      await lab.berth.stop();
      expect(processesOf(lab.berth.dataDir)).toEqual([]);
      expect(readLab(lab.berth.dataDir)).toBeNull();
    });
  });
});
