import { type DefaultError, type QueryClient, useMutation } from "@tanstack/react-query";
import type { AdvertisementCreateInput, AdvertisementPatch } from "#api/dashboard/advertisements";
import type { HoldCreate } from "#api/dashboard/holds";
import type { PoolCreateInput, PoolPatch } from "#api/dashboard/pools";
import type { ProbeCreateInput, ProbeRow } from "#api/dashboard/probes";
import type { ExposeBody } from "#api/dashboard/services";
import { ApiProblem } from "#client/problem";
import { path, request, servicePath } from "#client/request";

interface Started {
  readonly operation: string;
}

function useAction<Input, Output>(act: (input: Input) => Promise<Output>, after?: (client: QueryClient) => unknown) {
  return useMutation<Output, DefaultError, Input>({
    mutationFn: act,
    onSuccess: (_output, _input, _saved, { client }) => {
      after?.(client);
    },
  });
}

/** The problem of a mutation, or null. */
export function problemIn(mutation: { readonly error: unknown }): ApiProblem | null {
  return mutation.error === null || mutation.error === undefined ? null : ApiProblem.from(mutation.error);
}

export const useExpose = () =>
  useAction(({ service, body }: { service: string; body: ExposeBody }) =>
    request<Started>(servicePath(service, "expose"), { method: "POST", body }),
  );

export const useUnexpose = () =>
  useAction((service: string) => request<Started>(servicePath(service, "expose"), { method: "DELETE" }));

export const useCreatePool = () =>
  useAction((body: PoolCreateInput) => request<unknown>("/api/pools", { method: "POST", body }), refreshAddresses);

export const usePatchPool = () =>
  useAction(
    ({ name, patch }: { name: string; patch: PoolPatch }) =>
      request<unknown>(path("api", "pools", name), { method: "PATCH", body: patch }),
    refreshAddresses,
  );

export const useDeletePool = () =>
  useAction((name: string) => request<unknown>(path("api", "pools", name), { method: "DELETE" }));

export const useCreateAdvertisement = () =>
  useAction((body: AdvertisementCreateInput) => request<unknown>("/api/l2advertisements", { method: "POST", body }));

export const usePatchAdvertisement = () =>
  useAction(({ name, patch }: { name: string; patch: AdvertisementPatch }) =>
    request<unknown>(path("api", "l2advertisements", name), { method: "PATCH", body: patch }),
  );

export const useDeleteAdvertisement = () =>
  useAction((name: string) => request<unknown>(path("api", "l2advertisements", name), { method: "DELETE" }));

/** Keeps addresses from being given out. */
export const useHold = () =>
  useAction(
    (body: Pick<HoldCreate, "name" | "addresses" | "note" | "expiry">) =>
      request<unknown>("/api/holds", { method: "POST", body }),
    refreshAddresses,
  );

export const useReleaseHold = () =>
  useAction((name: string) => request<unknown>(path("api", "holds", name), { method: "DELETE" }), refreshAddresses);

export const useStartProbe = () =>
  useAction((body: ProbeCreateInput) => request<ProbeRow>("/api/probes", { method: "POST", body }));

export const useStopProbe = () =>
  useAction((id: string) => request<unknown>(path("api", "probes", id, "stop"), { method: "POST" }));

export const useDeleteProbe = () =>
  useAction((id: string) => request<unknown>(path("api", "probes", id), { method: "DELETE" }));

export const useComponentAction = () =>
  useAction(({ component, act }: { component: string; act: "install" | "restart" | "uninstall" }) =>
    request<Started>(path("api", "components", component, act), { method: "POST" }),
  );

export const useFixCheck = () =>
  useAction(
    (check: string) => request<Started>(path("api", "preflight", check, "fix"), { method: "POST" }),
    (client) => client.invalidateQueries({ queryKey: ["preflight"] }),
  );

export const useApplyDemo = () => useAction(() => request<Started>("/api/demo", { method: "POST" }));

export const usePower = () =>
  useAction(({ node, power }: { node: string; power: "on" | "off" }) =>
    request<unknown>(path("api", "nodes", node, "power"), { method: "POST", body: { power } }),
  );

function refreshAddresses(client: QueryClient): Promise<void> {
  return client.invalidateQueries({ queryKey: ["addresses"] });
}
