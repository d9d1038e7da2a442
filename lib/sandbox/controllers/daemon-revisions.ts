import type { KubeObject } from "#api/kubernetes/objects";
import type { DaemonSet } from "#api/kubernetes/workloads";
import { CONTROLLER_REVISIONS, DAEMON_SETS } from "#api/resources";
import { Fault } from "#core/errors";
import { num, obj, sameJson, strings } from "#sandbox/kinds/json";
import { asObject, type ControllerContext, removeIfThere } from "./context.ts";
import { HASH_LABEL } from "./daemon-pods.ts";
import { controllerUid, ownerReference } from "./owners.ts";
import { Index, Pending } from "./pending.ts";
import { templateHash } from "./template-hash.ts";

/** The templates a DaemonSet has had, as ControllerRevisions: what `rollout history` and `rollout undo` read. */
interface Revisions {
  /** Hash of the template in force; its revision exists afterwards and has the highest number. */
  current(set: DaemonSet): Promise<string>;
  /** Removes the oldest revisions beyond the limit that no pod has. */
  forget(set: DaemonSet, used: ReadonlySet<string>, current: string): Promise<void>;
}

export function startRevisions(context: ControllerContext): Revisions {
  const { objects, clock } = context;
  const view = objects.cache(CONTROLLER_REVISIONS);
  const owned = new Index(view, controllerUid);
  const pending = new Pending(view, clock);

  const of = (set: DaemonSet): readonly KubeObject[] => {
    const uid = set.metadata.uid ?? "";
    const all = [...owned.of(uid), ...pending.missing((one) => controllerUid(one)[0] === uid)];
    return all.sort((a, b) => numberOf(a) - numberOf(b));
  };

  return {
    async current(set) {
      const data = { spec: { template: { ...obj(set.spec?.template), $patch: "replace" } } };
      const all = of(set);
      const highest = all.reduce((most, one) => Math.max(most, numberOf(one)), 0);
      const known = all.find((one) => sameJson(obj(one).data, data));
      if (known !== undefined) {
        if (numberOf(known) < highest) {
          const { name = "", namespace } = known.metadata;
          const body = { revision: highest + 1 };
          await objects.patch(CONTROLLER_REVISIONS, { name, namespace }, { kind: "merge", body });
        }
        return known.metadata.labels?.[HASH_LABEL] ?? "";
      }
      const hash = templateHash(set.spec?.template);
      if (set.metadata.deletionTimestamp !== undefined) return hash;
      try {
        pending.add(await objects.create(CONTROLLER_REVISIONS, revision(set, hash, data, highest + 1)));
      } catch (thrown) {
        const fault = Fault.from(thrown);
        if (fault.code !== "already_exists" && !/being terminated/.test(fault.message)) throw thrown;
      }
      return hash;
    },

    async forget(set, used, current) {
      const limit = obj(set.spec).revisionHistoryLimit;
      const idle = of(set).filter((one) => {
        const hash = one.metadata.labels?.[HASH_LABEL] ?? "";
        return hash !== current && !used.has(hash);
      });
      const surplus = idle.length - (typeof limit === "number" ? limit : 10);
      for (const one of idle.slice(0, Math.max(0, surplus))) await removeIfThere(objects, CONTROLLER_REVISIONS, one);
    },
  };
}

const numberOf = (revision: KubeObject) => num(obj(revision).revision);

function revision(set: DaemonSet, hash: string, data: object, number: number): KubeObject {
  const { name = "", namespace, annotations } = set.metadata;
  return asObject(CONTROLLER_REVISIONS, {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels: { ...strings(set.spec?.template?.metadata?.labels), [HASH_LABEL]: hash },
      ...(annotations !== undefined && { annotations: strings(annotations) }),
      ownerReferences: [obj(ownerReference(DAEMON_SETS, set))],
    },
    data: obj(data),
    revision: number,
  });
}
