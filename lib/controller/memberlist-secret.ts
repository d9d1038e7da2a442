import type { OwnerReference } from "#api/kubernetes/objects";
import { DEPLOYMENTS, SECRETS } from "#api/resources";
import { Fault } from "#core/errors";
import type { Cluster } from "#kube/port";

interface SecretDeps {
  readonly cluster: Cluster;
  readonly namespace: string;
  /** Owner of the Secret, when it can be read. */
  readonly deployment: string;
  readonly random: (bytes: number) => Uint8Array;
}

const NAME = "memberlist";

/** Creates the Secret that authenticates speakers to each other when it is absent (metallb.md 5.4); never changes one. */
export async function ensureMemberlistSecret(deps: SecretDeps, signal: AbortSignal): Promise<void> {
  const { cluster, namespace, deployment, random } = deps;
  const at = { name: NAME, namespace };
  if (await exists(() => cluster.get(SECRETS, at, signal))) return;
  const key = base64(random(16)).replaceAll("=", "");
  const ownerReferences = await ownerOf(cluster, { name: deployment, namespace }, signal);
  try {
    await cluster.create(
      SECRETS,
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { ...at, ...(ownerReferences.length > 0 && { ownerReferences }) },
        type: "Opaque",
        data: { secretkey: btoa(key) },
      },
      { signal },
    );
  } catch (thrown) {
    if (Fault.from(thrown).code !== "already_exists") throw thrown;
  }
}

async function exists(read: () => Promise<unknown>): Promise<boolean> {
  try {
    await read();
    return true;
  } catch (thrown) {
    if (Fault.from(thrown).code === "not_found") return false;
    throw thrown;
  }
}

async function ownerOf(
  cluster: Cluster,
  at: { readonly name: string; readonly namespace: string },
  signal: AbortSignal,
): Promise<OwnerReference[]> {
  try {
    const { metadata } = await cluster.get(DEPLOYMENTS, at, signal);
    return [{ apiVersion: "apps/v1", kind: "Deployment", name: at.name, uid: metadata.uid ?? "" }];
  } catch {
    return [];
  }
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
