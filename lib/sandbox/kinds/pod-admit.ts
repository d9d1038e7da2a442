import { Fault } from "#core/errors";
import type { AdmissionContext, Json, JsonValue } from "./definition.ts";
import { arr, fill, metaOf, obj, objects, str } from "./json.ts";
import { mapped, qosClass } from "./pod-defaults.ts";

const TOKEN_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount";
const EVICT_AFTER_SECONDS = 300;

/**
 * What the admission plug-ins of a standard server add to a new pod: service account and its token volume, default
 * tolerations, priority, first status. Throws Fault `forbidden` when the service account does not exist.
 */
export function admitPod(pod: Json, old: Json | undefined, context: AdmissionContext): Json {
  if (old !== undefined) return pod;
  const spec = fill(obj(pod.spec), { enableServiceLinks: true, priority: 0, preemptionPolicy: "PreemptLowerPriority" });
  const account = str(spec.serviceAccountName) || "default";
  const withAccount = { ...spec, serviceAccountName: account, serviceAccount: account };
  const tolerant = { ...withAccount, tolerations: defaultTolerations(arr(spec.tolerations)) };
  const status = { phase: "Pending", qosClass: qosClass(spec) };
  return { ...pod, spec: mountToken(pod, tolerant, account, context), status: { ...obj(pod.status), ...status } };
}

function defaultTolerations(tolerations: readonly JsonValue[]): JsonValue[] {
  const added = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]
    .filter((key) => !objects(tolerations).some((one) => tolerates(one, key)))
    .map((key) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: EVICT_AFTER_SECONDS }));
  return [...tolerations, ...added];
}

function tolerates(toleration: Json, key: string): boolean {
  const effect = str(toleration.effect);
  return (str(toleration.key) === key || str(toleration.key) === "") && (effect === "NoExecute" || effect === "");
}

function mountToken(pod: Json, spec: Json, account: string, context: AdmissionContext): Json {
  const namespace = str(metaOf(pod).namespace) || "default";
  const found = context.get("", "serviceaccounts", account, namespace);
  if (found === undefined) {
    const message = `error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`;
    throw new Fault("forbidden", `pods "${str(metaOf(pod).name)}" is forbidden: ${message}`);
  }
  const automount = spec.automountServiceAccountToken ?? found.automountServiceAccountToken;
  if (automount === false) return spec;
  const name = `kube-api-access-${context.randomName(5)}`;
  let used = false;
  const mount = (container: Json): Json => {
    const mounts = arr(container.volumeMounts);
    if (mounts.some((one) => str(obj(one).mountPath) === TOKEN_DIRECTORY)) return container;
    used = true;
    return { ...container, volumeMounts: [...mounts, { name, readOnly: true, mountPath: TOKEN_DIRECTORY }] };
  };
  const mounted = { ...spec, ...mapped(spec, "initContainers", mount), ...mapped(spec, "containers", mount) };
  return used ? { ...mounted, volumes: [...arr(spec.volumes), tokenVolume(name)] } : mounted;
}

function tokenVolume(name: string): Json {
  return {
    name,
    projected: {
      sources: [
        // 3607 marks the default: an hour, plus 7 s to tell it from one that somebody asked for.
        { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        {
          downwardAPI: {
            items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
          },
        },
      ],
      defaultMode: 420,
    },
  };
}
