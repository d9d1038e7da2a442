import { lstat, mkdir, realpath, rm, rmdir, stat, symlink } from "node:fs/promises";
import path from "node:path";
import { Fault } from "#core/errors";

export interface Mount {
  /** Absolute path in the container. */
  readonly path: string;
  /** The directory or file on the host that appears there. */
  readonly host: string;
  readonly readOnly: boolean;
}

/**
 * The files one container sees: its own directory with the pod's volumes
 * linked into it. `resolve` never leads out of that directory and those
 * volumes, neither by ".." nor through a symbolic link.
 */
export class ContainerFs {
  readonly root: string;
  readonly #mounts: readonly Mount[];
  readonly #volumes: string;

  /** `volumes` is the directory that holds all of the pod's volumes. */
  constructor(options: { readonly root: string; readonly volumes: string; readonly mounts: readonly Mount[] }) {
    this.root = options.root;
    this.#volumes = options.volumes;
    this.#mounts = options.mounts.toSorted((a, b) => a.path.length - b.path.length);
  }

  /** Creates a fresh root and links the mounts into it. */
  async prepare(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
    await mkdir(path.join(this.root, "tmp"), { recursive: true });
    for (const mount of this.#mounts) {
      const at = path.join(this.root, clean(mount.path));
      if (at === this.root) throw new Fault("invalid", `a volume cannot be mounted at "${mount.path}"`);
      await mkdir(path.dirname(at), { recursive: true });
      await linkMount(mount, at);
    }
  }

  /** Whether the container may not write at `file` (a path in the container). */
  readOnly(file: string): boolean {
    const wanted = clean(file);
    return this.#mounts.findLast((mount) => inside(clean(mount.path), wanted))?.readOnly ?? false;
  }

  /**
   * The host's path of `file` (relative ones count from `cwd`); it need not
   * exist, its directory must. Faults: `not_found`, `forbidden` (leads out of the container).
   */
  async resolve(file: string, cwd = "/"): Promise<string> {
    if (file.includes("\0")) throw new Fault("not_found", `${file}: No such file or directory`);
    const wanted = path.join(this.root, clean(path.posix.resolve("/", cwd, file)));
    const found = await realpath(wanted).catch(() => null);
    if (found !== null) return this.#admit(file, found);
    // A dangling link would otherwise be followed when the file is created.
    if ((await lstat(wanted).catch(() => null)) !== null)
      throw new Fault("not_found", `${file}: No such file or directory`);
    const directory = await realpath(path.dirname(wanted)).catch(() => null);
    if (directory === null) throw new Fault("not_found", `${file}: No such file or directory`);
    await this.#admit(file, directory);
    if (!(await stat(directory)).isDirectory()) throw new Fault("not_found", `${file}: Not a directory`);
    return path.join(directory, path.basename(wanted));
  }

  async #admit(file: string, real: string): Promise<string> {
    const roots = [await realpath(this.root), await realpath(this.#volumes).catch(() => this.#volumes)];
    if (roots.some((root) => inside(root, real))) return real;
    throw new Fault("forbidden", `${file}: Permission denied`);
  }
}

/** A mount inside another volume may meet what an earlier start, or the volume itself, left there. */
async function linkMount(mount: Mount, at: string): Promise<void> {
  const present = await lstat(at).catch(() => null);
  if (present?.isDirectory()) {
    await rmdir(at).catch(() => {
      throw new Fault("invalid", `a volume cannot be mounted at "${mount.path}": there is a directory with files`);
    });
  } else if (present !== null) await rm(at, { force: true });
  await symlink(mount.host, at);
}

/** Absolute, without "." and ".." (which stop at the root). */
function clean(file: string): string {
  return path.posix.resolve("/", file);
}

function inside(directory: string, file: string): boolean {
  return file === directory || file.startsWith(directory.endsWith("/") ? directory : `${directory}/`);
}
