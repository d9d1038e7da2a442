import { Agent, request } from "undici";
import { Fault } from "#core/errors";

interface Access {
  readonly server: string;
  readonly ca: string;
  readonly token: string;
}

const agents = new Map<string, Agent>();

/**
 * A service account token by the TokenRequest subresource
 * (authentication.k8s.io/v1), as a kubelet asks for the ones it mounts.
 */
export async function requestToken(access: Access, namespace: string, name: string): Promise<string> {
  let agent = agents.get(access.ca);
  if (agent === undefined) {
    agent = new Agent({ connections: 2, connect: { ca: access.ca } });
    agents.set(access.ca, agent);
  }
  const url = `${access.server}/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(name)}/token`;
  const what = `no token for service account ${namespace}/${name}`;
  const reply = await request(url, {
    method: "POST",
    dispatcher: agent,
    headers: {
      authorization: `Bearer ${access.token}`,
      "content-type": "application/json",
      accept: "application/json",
    },
    body: JSON.stringify({
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { expirationSeconds: 3607, audiences: [] },
    }),
    headersTimeout: 5000,
    bodyTimeout: 5000,
  }).catch((cause: unknown) => {
    throw new Fault("unavailable", `${what}: ${Fault.from(cause).message}`, { cause });
  });
  const body: unknown = await reply.body.json().catch(() => null);
  const status = typeof body === "object" && body !== null ? Reflect.get(body, "status") : undefined;
  const token = typeof status === "object" && status !== null ? Reflect.get(status, "token") : undefined;
  if (reply.statusCode >= 300 || typeof token !== "string") {
    const code = reply.statusCode === 404 ? "not_found" : "unavailable";
    throw new Fault(code, `${what} (HTTP ${reply.statusCode})`);
  }
  return token;
}
