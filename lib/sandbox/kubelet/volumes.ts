import { mkdir } from "node:fs/promises";
import path from "node:path";
import { Fault } from "#core/errors";
import type { Clock } from "#runtime/clock";
import { writeAtomically } from "./atomic-dir.ts";
import type { Mount } from "./container-fs.ts";
import type { Configuration } from "./env.ts";
import { fieldText, type PodFacts } from "./fields.ts";
import type { ContainerView, PodView, VolumeSource, VolumeView } from "./pod-view.ts";

export interface TokenRequest {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly podName: string;
  readonly podUid: string;
  readonly audience: string | null;
  readonly expirationSeconds: number;
}

interface VolumeDeps {
  /** `<data>/pods/<uid>` */
  readonly directory: string;
  readonly configuration: Configuration;
  readonly requestToken: (request: TokenRequest) => Promise<string>;
  readonly clock: Clock;
}

interface HeldToken {
  readonly token: string;
  readonly renewAt: number;
}

/**
 * The volumes of one pod on disk. `setUp` may be called again at any time: it
 * writes only what changed (a ConfigMap, a Secret, a token close to its end).
 */
export class PodVolumes {
  readonly #deps: VolumeDeps;
  readonly #tokens = new Map<string, HeldToken>();
  #stamp = 0;

  constructor(deps: VolumeDeps) {
    this.#deps = deps;
  }

  get directory(): string {
    return path.join(this.#deps.directory, "volumes");
  }

  /** Writes every volume. Fault with the sentence of a kubelet's FailedMount Event when one cannot be. */
  async setUp(pod: PodView, facts: PodFacts): Promise<void> {
    for (const volume of pod.volumes) {
      try {
        await this.#write(volume, pod, facts);
      } catch (error) {
        const fault = Fault.from(error);
        throw new Fault("unavailable", `MountVolume.SetUp failed for volume "${volume.name}" : ${fault.message}`, {
          cause: error,
        });
      }
    }
  }

  /** Where a container's mounts lead. Fault `invalid` for a mount of a volume the pod does not have. */
  mountsOf(pod: PodView, container: ContainerView): readonly Mount[] {
    return container.mounts.map((mount) => {
      const volume = pod.volumes.find((each) => each.name === mount.volume);
      if (volume === undefined) {
        throw new Fault("invalid", `volumeMounts name volume "${mount.volume}", which the pod does not define`);
      }
      if (mount.subPath.split("/").includes("..")) {
        throw new Fault("invalid", `subPath "${mount.subPath}" must not contain ".."`);
      }
      return {
        path: mount.path,
        host: path.join(this.directory, volume.name, path.posix.resolve("/", mount.subPath)),
        readOnly: mount.readOnly || volume.source.kind !== "emptyDir",
      };
    });
  }

  async #write(volume: VolumeView, pod: PodView, facts: PodFacts): Promise<void> {
    const at = path.join(this.directory, volume.name);
    await mkdir(at, { recursive: true });
    if (volume.source.kind === "emptyDir") return;
    const files = new Map<string, Uint8Array>();
    await this.#gather(volume.source, pod, facts, files);
    this.#stamp++;
    await writeAtomically(
      at,
      files,
      `${new Date(this.#deps.clock.now()).toISOString().replaceAll(":", "_")}.${this.#stamp}`,
    );
  }

  async #gather(source: VolumeSource, pod: PodView, facts: PodFacts, into: Map<string, Uint8Array>): Promise<void> {
    switch (source.kind) {
      case "emptyDir":
        return;
      case "configMap":
      case "secret":
        return this.#gatherKeys(source, pod, into);
      case "downwardAPI":
        for (const item of source.items) into.set(item.path, Buffer.from(fieldText(item.field, pod, facts)));
        return;
      case "token":
        into.set(source.path, Buffer.from(await this.#token(source, pod)));
        return;
      case "projected":
        for (const each of source.sources) await this.#gather(each, pod, facts, into);
        return;
      case "unsupported":
        throw new Fault("invalid", `the Berth sandbox does not support ${source.what} volumes`);
    }
  }

  #gatherKeys(
    source: Extract<VolumeSource, { kind: "configMap" | "secret" }>,
    pod: PodView,
    into: Map<string, Uint8Array>,
  ): void {
    const data = this.#deps.configuration[source.kind](pod.namespace, source.name);
    if (data === undefined) {
      if (source.optional) return;
      throw new Fault("not_found", `${source.kind.toLowerCase()} "${source.name}" not found`);
    }
    const items = source.items ?? Object.keys(data).map((key) => ({ key, path: key }));
    for (const item of items) {
      const bytes = data[item.key];
      if (bytes !== undefined) into.set(item.path, bytes);
      else if (!source.optional) {
        throw new Fault("not_found", `references non-existent ${source.kind.toLowerCase()} key: ${item.key}`);
      }
    }
  }

  /** A token is renewed after 80 % of its life, as a kubelet does. */
  async #token(source: Extract<VolumeSource, { kind: "token" }>, pod: PodView): Promise<string> {
    const { clock, requestToken } = this.#deps;
    const key = `${source.path} ${source.audience ?? ""}`;
    const held = this.#tokens.get(key);
    if (held !== undefined && clock.monotonic() < held.renewAt) return held.token;
    try {
      const token = await requestToken({
        namespace: pod.namespace,
        serviceAccount: pod.serviceAccount,
        podName: pod.name,
        podUid: pod.uid,
        audience: source.audience,
        expirationSeconds: source.expirationSeconds,
      });
      this.#tokens.set(key, { token, renewAt: clock.monotonic() + source.expirationSeconds * 800 });
      return token;
    } catch (error) {
      // A renewal that fails leaves the old token in place: it is good for another fifth of its life.
      if (held !== undefined) return held.token;
      throw error;
    }
  }
}
