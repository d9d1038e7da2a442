import { type QueryClient, queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import type { AddressPage } from "#api/dashboard/addresses";
import type { Diagnosis } from "#api/dashboard/diagnosis";
import type { HoldRow } from "#api/dashboard/holds";
import type { Neighbour } from "#api/dashboard/nodes";
import type { OperationRow } from "#api/dashboard/operations";
import type { PoolPreview, PoolPreviewInput } from "#api/dashboard/pool-preview";
import type { CheckRow } from "#api/dashboard/preflight";
import type { ProbeSamples } from "#api/dashboard/probes";
import type { Session } from "#api/dashboard/session";
import type { RowOf, Topic } from "#api/dashboard/stream";
import { firstRows } from "#client/live";
import { EMPTY_FEED, type Feed, foldFeed } from "#client/probe-feed";
import { ApiProblem } from "#client/problem";
import { path, request, servicePath } from "#client/request";

const LIST: Record<Topic, string> = {
  session: "/api/session",
  services: "/api/services",
  pools: "/api/pools",
  advertisements: "/api/l2advertisements",
  nodes: "/api/nodes",
  components: "/api/components",
  operations: "/api/operations",
  activity: "/api/activity",
  probes: "/api/probes",
};

/** How long a screen waits for the stream's first snapshot before it asks by REST. */
const SNAPSHOT_MS = 3000;

/** The rows of a topic. They arrive by the stream; the REST list is the fallback for a first load without one. */
function rowsQuery<T extends Topic>(topic: T) {
  return queryOptions({
    queryKey: [topic],
    queryFn: async ({ client, signal }): Promise<readonly RowOf<T>[]> => {
      const streamed = await firstRows(client, topic, SNAPSHOT_MS);
      if (streamed !== undefined) return streamed as readonly RowOf<T>[];
      const answer = await request<RowOf<T> | readonly RowOf<T>[]>(LIST[topic], { signal });
      const newer = client.getQueryData<readonly RowOf<T>[]>([topic]);
      return newer ?? (Array.isArray(answer) ? (answer as readonly RowOf<T>[]) : [answer as RowOf<T>]);
    },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
  });
}

/** `useRows("pools")`: data is undefined until the first snapshot, then always the newest rows. */
export function useRows<T extends Topic>(topic: T) {
  return useQuery(rowsQuery(topic));
}

/** The one session row, or undefined before it is known. */
export function useSession(): Session | undefined {
  return useRows("session").data?.[0];
}

/** An operation by its id, as the stream tells it. */
export function useOperation(id: string | null): OperationRow | undefined {
  const rows = useRows("operations").data;
  return useMemo(() => (id === null ? undefined : rows?.find((row) => row.id === id)), [rows, id]);
}

/** The newest operation of a kind on a target ("controller", "default/nginx"), so that progress survives a reload. */
export function useLatestOperation(kind: OperationRow["kind"], target?: string): OperationRow | undefined {
  const rows = useRows("operations").data;
  return useMemo(
    () => rows?.findLast((row) => row.kind === kind && (target === undefined || row.target === target)),
    [rows, kind, target],
  );
}

export function feedQuery(id: string) {
  return queryOptions({
    queryKey: ["probe-feed", id],
    queryFn: async ({ client, signal }): Promise<Feed> => {
      const samples = await request<ProbeSamples>(path("api", "probes", id, "samples"), { signal });
      const streamed = client.getQueryData<Feed>(["probe-feed", id]) ?? EMPTY_FEED;
      return foldFeed(foldFeed(EMPTY_FEED, samples.ticks, samples.replies), streamed.ticks, streamed.replies);
    },
    staleTime: 30_000,
  });
}

export function diagnosisQuery(key: string, resourceVersion: string) {
  return queryOptions({
    queryKey: ["diagnosis", key, resourceVersion],
    queryFn: ({ signal }): Promise<Diagnosis> => request(servicePath(key, "diagnosis"), { signal }),
    placeholderData: (old) => (old?.service === key ? old : undefined),
    staleTime: 2000,
    refetchInterval: 5000,
  });
}

/** The YAML of one object; `url` is the object's own route. */
export function yamlQuery(url: string, version: string) {
  return queryOptions({
    queryKey: ["yaml", url, version],
    queryFn: async ({ signal }) => (await request<{ yaml: string }>(`${url}/yaml`, { signal })).yaml,
    staleTime: 60_000,
  });
}

/** One page of a pool's addresses; at most 256. */
export function addressesQuery(pool: string, offset: number, version: string) {
  return queryOptions({
    queryKey: ["addresses", pool, offset, version],
    queryFn: ({ signal }): Promise<AddressPage> =>
      request(`${path("api", "pools", pool, "addresses")}?offset=${offset}&limit=256`, { signal }),
    placeholderData: (old) => (old?.pool === pool ? old : undefined),
    staleTime: 5000,
  });
}

/** One AddressHold. */
export function holdQuery(name: string) {
  return queryOptions({
    queryKey: ["hold", name],
    queryFn: ({ signal }): Promise<HoldRow> => request(path("api", "holds", name), { signal }),
    staleTime: 5000,
    retry: false,
  });
}

/** What a change of a pool, or its removal, would do to every Service. Changes nothing. */
export function previewQuery(body: PoolPreviewInput) {
  return queryOptions({
    queryKey: ["pool-preview", JSON.stringify(body)],
    queryFn: ({ signal }): Promise<PoolPreview> => request("/api/pools/preview", { method: "POST", body, signal }),
    staleTime: 5000,
    retry: false,
  });
}

export const preflightQuery = queryOptions({
  queryKey: ["preflight"],
  queryFn: ({ signal }) => request<readonly CheckRow[]>("/api/preflight", { signal }),
  staleTime: 15_000,
  refetchInterval: 30_000,
});

const CHECKED: ReadonlySet<OperationRow["kind"]> = new Set(["fix", "install", "uninstall", "restart"]);

/** Asks for the checks again: after a fix, and from the button. */
function rerunPreflight(client: QueryClient): Promise<void> {
  return client.invalidateQueries({ queryKey: preflightQuery.queryKey });
}

/** Runs the checks again whenever work has ended that changes what they find; for screens that show them. */
export function useFreshPreflight(): void {
  const client = useQueryClient();
  const ended = useRows("operations").data?.filter((row) => CHECKED.has(row.kind) && row.state !== "running").length;
  useEffect(() => {
    if (ended !== undefined && ended > 0) void rerunPreflight(client);
  }, [ended, client]);
}

/** Log tail of a component's pod; polled while it is looked at. */
export function logsQuery(component: string, pod: string) {
  return queryOptions({
    queryKey: ["logs", component, pod],
    queryFn: ({ signal }) =>
      request<{ pod: string; lines: readonly string[] }>(
        `${path("api", "components", component, "logs")}?pod=${encodeURIComponent(pod)}&tail=200`,
        {
          signal,
        },
      ),
    refetchInterval: 2000,
  });
}

/** The edge's neighbour table; null where there is none (not a sandbox). */
export const neighboursQuery = queryOptions({
  queryKey: ["neighbours"],
  queryFn: async ({ signal }): Promise<readonly Neighbour[] | null> => {
    try {
      return await request<readonly Neighbour[]>("/api/nodes/neighbours", { signal });
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 404) return null;
      throw error;
    }
  },
  refetchInterval: 2000,
});
