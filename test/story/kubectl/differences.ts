import type { Rewrite } from "../../support/transcripts.ts";

/** A command that prints something else here than against the cluster of the transcripts, and why. */
export interface Difference {
  /** Numbers of its transcripts. */
  readonly commands: readonly number[];
  /** What issue C brings, or a fact of the other cluster that is ours to differ. */
  readonly cause: "issue C" | "this cluster";
  readonly because: string;
  /** Applied to both sides before they are compared; everything else must match. */
  readonly rewrites?: readonly Rewrite[];
  /** Lines come in any number and order: only which there are is compared. */
  readonly distinct?: true;
  /** Nothing is compared: what is printed here instead must look like this, and must not match the transcript. */
  readonly says?: RegExp;
  /** Appended to the command after it was refused, so that later commands find what it would have made; that must match. */
  readonly instead?: string;
}

/** Removes a whole line. */
const line = (pattern: string): Rewrite => [new RegExp(`^${pattern}\\n`, "gm"), ""];

const PROTOBUF = /the sandbox does not read protobuf bodies.*kubectl apply -f/;

/** Everything that is not in this list matches column for column and word for word. */
export const DIFFERENCES: readonly Difference[] = [
  {
    commands: [6, 65, 67, 69, 102, 103, 104, 110, 112],
    cause: "issue C",
    because: "kubectl create with flags sends protobuf, which the server does not read yet",
    says: PROTOBUF,
    instead: "--dry-run=client -o json | kubectl create -f -",
  },
  {
    commands: [99, 100, 101, 105, 106],
    cause: "issue C",
    because: "kubectl auth sends protobuf, which the server does not read yet",
    says: PROTOBUF,
  },
  {
    commands: [73],
    cause: "issue C",
    because: "no strict validation of fields yet: the unknown field is dropped",
    says: /^service\/typo created$/m,
  },
  {
    commands: [74],
    cause: "issue C",
    because: "no strict validation yet, so the command before made the Service, and nothing is warned of",
    says: /^service\/typo configured$/m,
  },
  {
    commands: [77],
    cause: "issue C",
    because: "no strict validation of fields yet: the schema still refuses the pool, for what is missing",
    says: /The IPAddressPool "typo" is invalid: spec.addresses: Required value/,
  },
  {
    commands: [83, 84],
    cause: "issue C",
    because: "no server-side apply yet",
    says: /the sandbox does not do server-side apply yet/,
  },
  {
    commands: [85],
    cause: "issue C",
    because: "no field managers yet; the annotation is still that of the apply before",
    rewrites: [
      [/^ {2}managedFields:\n(?: {2}[- ].*\n)*?(?= {2}name:)/gm, ""],
      [/"annotations":\{\},/g, ""],
    ],
  },
  {
    commands: [1],
    cause: "this cluster",
    because: "the version of the machine's kubectl",
    rewrites: [
      [/^(Client|Kustomize) Version: .*$/gm, "$1 Version: <version>"],
      [/^WARNING: version difference .*\n/gm, ""],
    ],
  },
  {
    commands: [5],
    cause: "this cluster",
    because: "the nodes are the sandbox's: system, kernel and runtime",
    rewrites: [[/(<node-ip> +<none> +).*$/gm, "$1<node>"]],
  },
  {
    commands: [11, 31, 33],
    cause: "this cluster",
    because: "the port of the API server; which pod went to which node",
    rewrites: [
      [/^((?:endpointslice\.discovery\.k8s\.io\/)?kubernetes +IPv4 +)\d+/gm, "$1<port>"],
      [/(https +)\d+( +TCP)/g, "$1<port>$2"],
      [/(NodeName: +)node-0\d/g, "$1<node>"],
      [/(Zone: +)z\d/g, "$1<zone>"],
    ],
  },
  {
    commands: [25, 26, 27],
    cause: "this cluster",
    because: "an external address that the machine does not have gets a local twin, named in an annotation",
    rewrites: [
      [/^Annotations: +berth\.dev\/reachable-at: .*\n +/gm, "Annotations: "],
      [/^ +"?berth\.dev\/reachable-at"?: .*\n/gm, ""],
    ],
  },
  {
    commands: [35],
    cause: "this cluster",
    because:
      "its pods were marked running by a stand-in kubelet: no container states, no kubelet's conditions and events; dual stack; another volume",
    rewrites: [
      [/node-0\d/g, "<node>"],
      [/(zone=)z\d/g, "$1<zone>"],
      line(" +IP: +<pod-ip6>"),
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
    commands: [36],
    cause: "this cluster",
    because:
      "its nodes had a stand-in kubelet: no lease, other conditions and sizes, no events; dual stack; the labels every kubelet of today still sets",
    rewrites: [
      [/^Labels: +(beta\.kubernetes\.io\/.*\n +)*/gm, "Labels: "],
      [/^Lease:.*\n(?: .*\n)*/gm, "Lease: <lease>\n"],
      line(" +(Ready|MemoryPressure|DiskPressure|PIDPressure) +(True|False) +<time> +<time> .*"),
      [/^( +(?:cpu|ephemeral-storage|memory): +)\d\w*/gm, "$1<size>"],
      [/^( +(?:Machine ID|System UUID|Boot ID|Kernel Version|OS Image|Container Runtime Version): +).*/gm, "$1<node>"],
      [/,<pod-ip6>\/64/g, ""],
      [/^Events:(?: +<none>|\n(?: .*(?:\n|$))*)/gm, "Events: <events>\n"],
    ],
  },
  {
    commands: [12, 40, 41, 118],
    cause: "this cluster",
    because: "which pod went to which node",
    rewrites: [
      [/node-0\d/g, "<node>"],
      [/(zone=)z\d/g, "$1<zone>"],
    ],
  },
  {
    commands: [97],
    cause: "this cluster",
    because: "Berth's own definitions are installed beside upstream's",
    rewrites: [line("speakerstates\\.berth\\.dev .*")],
  },
  {
    commands: [96],
    cause: "this cluster",
    because: "the sandbox serves the groups that its story needs, and says so",
    rewrites: [
      line(
        "(apiregistration|certificates|events|flowcontrol\\.apiserver|networking|node|resource|scheduling|storage)\\.k8s\\.io/v1",
      ),
      line("(autoscaling/v[12]|batch/v1|metallb\\.io/v1beta2|berth\\.dev/v1alpha1)"),
    ],
  },
  {
    commands: [98],
    cause: "this cluster",
    because: "the definition is generated by Berth, not by controller-gen",
    rewrites: [[/^(Annotations: +).*/gm, "$1<annotations>"]],
  },
  {
    commands: [117],
    cause: "this cluster",
    because: "how many pods the scheduler had put on that node",
    distinct: true,
  },
  {
    commands: [122, 123],
    cause: "this cluster",
    because: "how many pods each step of a rollout moves depends on how quickly they start",
    distinct: true,
    rewrites: [
      [/from \d+ to \d+/g, "from <n> to <n>"],
      [/<age> \(x\d+ over <age>\)/g, "<age>"],
    ],
  },
  {
    commands: [124],
    cause: "this cluster",
    because: "the sandbox's API server is one process and publishes no lease of its own",
    says: /No resources found in kube-system namespace/,
  },
];
