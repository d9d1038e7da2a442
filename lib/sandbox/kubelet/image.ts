/** What stands behind an image name in the sandbox. */
export type ImageKind = "nginx" | "busybox" | "berth" | "kube-proxy";

const IMAGES: Readonly<Record<string, ImageKind>> = {
  nginx: "nginx",
  busybox: "busybox",
  berth: "berth",
  "kube-proxy": "kube-proxy",
};

/** The runtime of an image, by its last path segment without tag and digest; null when the sandbox has none. */
export function imageKind(image: string): ImageKind | null {
  const withoutDigest = image.split("@")[0] ?? "";
  const last = withoutDigest.split("/").at(-1) ?? "";
  const name = last.split(":")[0] ?? "";
  return Object.hasOwn(IMAGES, name) ? (IMAGES[name] ?? null) : null;
}

/** Why an image cannot run here, for the container's status and its Events. */
export function unsupportedImage(image: string): string {
  return (
    `failed to pull image "${image}": Berth's sandbox runs no containers and pulls nothing; ` +
    `it knows the images nginx, busybox, kube-proxy and berth (any tag, any registry path). Use a real cluster for other images`
  );
}
