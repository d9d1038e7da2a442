import type { Rewrite } from "../../support/transcripts.ts";

/** A command that prints something else here than against the cluster of the transcripts, and why. */
export interface Difference {
  /** Numbers of its transcripts. */
  readonly commands: readonly number[];
  /** A fact of this cluster, or of the other one, that is ours to differ. */
  readonly because: string;
  /** Applied to both sides before they are compared; everything else must match. */
  readonly rewrites?: readonly Rewrite[];
  /** Lines come in any number and order: only which there are is compared. */
  readonly distinct?: true;
  /** Nothing is compared: what is printed here instead must look like this, and must not match the transcript. */
  readonly says?: RegExp;
}

/** Removes a whole line. */
const line = (pattern: string): Rewrite => [new RegExp(`^${pattern}\\n`, "gm"), ""];

/** Everything that is not in this list matches column for column and word for word. */
export const DIFFERENCES: readonly Difference[] = [
  {
    commands: [1],
    because: "the version of the machine's kubectl",
    rewrites: [
      [/^(Client|Kustomize) Version: .*$/gm, "$1 Version: <version>"],
      [/^WARNING: version difference .*\n/gm, ""],
    ],
  },
  {
    commands: [101],
    because: "its administrator had a client certificate, the sandbox's has a token",
    rewrites: [[/^(Username +)(?:berth-)?admin/gm, "$1admin"], line("Extra: authentication.*")],
  },
  {
    commands: [11, 12, 31, 33, 40, 41, 118],
    because: "the port of the API server; which pod went to which node",
    rewrites: [
      [/^((?:endpointslice\.discovery\.k8s\.io\/)?kubernetes +IPv4 +)\d+/gm, "$1<port>"],
      [/(https +)\d+( +TCP)/g, "$1<port>$2"],
      [/(Zone: +)z\d/g, "$1<zone>"],
      [/node-0\d/g, "<node>"],
      [/(zone=)z\d/g, "$1<zone>"],
    ],
  },
  {
    commands: [25, 26, 27],
    because: "an external address that the machine does not have gets a local twin, named in an annotation",
    rewrites: [
      [/^Annotations: +berth\.dev\/reachable-at: .*\n +/gm, "Annotations: "],
      [/^ +"?berth\.dev\/reachable-at"?: .*\n/gm, ""],
    ],
  },
  {
    commands: [35],
    because:
      "its pods were marked running by a stand-in kubelet: no container states, no kubelet's conditions and events; another volume",
    rewrites: [
      [/node-0\d/g, "<node>"],
      [/(zone=)z\d/g, "$1<zone>"],
      line(" +ConfigMapName: +openshift-service-ca\\.crt\\n +ConfigMapOptional: +<nil>"),
      line(" +Container ID: .*"),
      line(" +Image ID: .*"),
      line(
        " +State: +Terminated\\n +Reason: +Completed\\n +Exit Code: +0\\n +Started: .*\\n +Finished: .*\\n +Ready: +True\\n +Restart Count: +0",
      ),
      line(" +(PodScheduled|Initialized|ContainersReady|Ready|PodReadyToStartContainers) +True *"),
      line(" +Normal +(Pulled|Created|Started) +<age> +kubelet +.*"),
    ],
  },
  {
    commands: [5, 36],
    because:
      "its nodes had a stand-in kubelet: no lease, other conditions and sizes, no events; the labels every kubelet of today still sets; another system, kernel and runtime",
    rewrites: [
      [/(<node-ip> +<none> +).*$/gm, "$1<node>"],
      [/^Labels: +(beta\.kubernetes\.io\/.*\n +)*/gm, "Labels: "],
      [/^Lease:.*\n(?: .*\n)*/gm, "Lease: <lease>\n"],
      line(" +(Ready|MemoryPressure|DiskPressure|PIDPressure) +(True|False) +<time> +<time> .*"),
      [/^( +(?:cpu|ephemeral-storage|memory): +)\d\w*/gm, "$1<size>"],
      [/^( +(?:Machine ID|System UUID|Boot ID|Kernel Version|OS Image|Container Runtime Version): +).*/gm, "$1<node>"],
      [/^Events:(?: +<none>|\n(?: .*(?:\n|$))*)/gm, "Events: <events>\n"],
    ],
  },
  {
    commands: [96, 97, 98],
    because:
      "the definitions are Berth's, its own beside upstream's; of the built-in groups those that its story needs are served",
    rewrites: [
      line("\\w+\\.berth\\.dev .*"),
      line(
        "(apiregistration|certificates|events|flowcontrol\\.apiserver|networking|node|resource|scheduling|storage)\\.k8s\\.io/v1",
      ),
      line("(autoscaling/v[12]|batch/v1|metallb\\.io/v1beta2|berth\\.dev/v1alpha1)"),
      [/^(Annotations: +).*/gm, "$1<annotations>"],
    ],
  },
  {
    commands: [117, 122, 123],
    because:
      "how many pods are on a node, and how many each step of a rollout moves, depends on how quickly they start",
    distinct: true,
    rewrites: [
      [/from \d+ to \d+/g, "from <n> to <n>"],
      [/<age> \(x\d+ over <age>\)/g, "<age>"],
    ],
  },
  {
    commands: [124],
    because: "the sandbox's API server is one process and publishes no lease of its own",
    says: /No resources found in kube-system namespace/,
  },
];
