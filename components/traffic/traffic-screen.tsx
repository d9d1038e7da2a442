"use client";

import { useMemo } from "react";
import { problemIn, useStopProbe } from "#client/actions";
import { duration, keyParts } from "#client/format";
import { useParams } from "#client/location";
import { useRows } from "#client/queries";
import { Empty, Failed, Loading } from "#components/states/states";
import { ProbeSetup } from "#components/traffic/probe-setup";
import { Replies } from "#components/traffic/replies";
import { Results } from "#components/traffic/results";
import { RunList } from "#components/traffic/run-list";
import { FormProblem } from "#components/ui/field";
import { Hull } from "#components/ui/hull";
import { Icon } from "#components/ui/icon";
import { useNow } from "#components/ui/now";

/** Runs of the prober, and the console of the one that is looked at. */
export function TrafficScreen() {
  const params = useParams();
  const query = useRows("probes");
  const services = useRows("services").data;
  const runs = useMemo(
    () => [...(query.data ?? [])].sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1)),
    [query.data],
  );
  const wanted = params.get("service");
  const fresh = params.get("new") === "probe";
  const asked = params.get("probe");
  const probe = fresh
    ? undefined
    : (runs.find((run) => run.id === asked) ??
      (wanted !== null ? runs.find((run) => run.service === wanted && run.state === "running") : undefined) ??
      (wanted === null ? (runs.find((run) => run.state === "running") ?? runs[0]) : undefined));
  const exposed = services?.filter((row) => row.type === "LoadBalancer" && row.addresses.length > 0) ?? [];
  const { namespace, name } = keyParts(probe?.service ?? "");

  return (
    <>
      <div className="head">
        {probe === undefined ? (
          <h1>Traffic</h1>
        ) : (
          <>
            <button
              className="linkish t3 m-hide"
              type="button"
              onClick={() => params.set({ new: "probe", probe: null, service: null })}
            >
              Traffic
            </button>
            <Icon name="chev" className="t3 m-hide" />
            <h1>
              <span className="t2 light">{namespace}/</span>
              {name}
            </h1>
            <Hull address={withPort(probe.address, probe.port)} />
            <Running startedAt={probe.startedAt} stoppedAt={probe.stoppedAt} state={probe.state} />
          </>
        )}
        <Acts probe={probe} onNew={() => params.set({ new: "probe", probe: null, service: null })} fresh={fresh} />
      </div>
      {query.isError && query.data === undefined ? (
        <section className="card">
          <Failed what="probes" error={query.error} onRetry={() => query.refetch()} />
        </section>
      ) : query.data === undefined || services === undefined ? (
        <section className="card">
          <Loading rows={8} label="Loading probes" />
        </section>
      ) : (
        <div className="console">
          <ProbeSetup
            key={probe?.id ?? wanted ?? "new"}
            probe={probe}
            services={exposed}
            wanted={wanted}
            onStarted={(id) => params.set({ probe: id, new: null, service: null })}
          />
          {probe === undefined ? (
            <div className="res wide">
              <Empty
                hull="127.77.10.1"
                sentence={
                  exposed.length === 0
                    ? "No Service has an address yet. Expose one, then watch which pods answer."
                    : "Start a probe: it opens a new connection for each request and shows which pod on which node answered."
                }
              />
            </div>
          ) : (
            <>
              <Results probe={probe} />
              <Replies probe={probe} />
            </>
          )}
        </div>
      )}
      {runs.length === 0 ? null : (
        <RunList
          runs={runs}
          selected={probe?.id ?? null}
          onSelect={(id) => params.set({ probe: id, new: null, service: null }, "push")}
        />
      )}
    </>
  );
}

/** 80 goes without saying, as in the URL. */
function withPort(address: string, port: number): string {
  if (port === 80) return address;
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

function Running({
  startedAt,
  stoppedAt,
  state,
}: {
  readonly startedAt: string;
  readonly stoppedAt: string | null;
  readonly state: string;
}) {
  const now = useNow(1000);
  const start = Date.parse(startedAt);
  if (state === "running") return <span className="sub">{`running ${duration(now - start)}`}</span>;
  return (
    <span className="sub">{`${state === "failed" ? "failed" : "stopped"} after ${duration((stoppedAt === null ? now : Date.parse(stoppedAt)) - start)}`}</span>
  );
}

function Acts({
  probe,
  onNew,
  fresh,
}: {
  readonly probe: { readonly id: string; readonly state: string } | undefined;
  readonly onNew: () => void;
  readonly fresh: boolean;
}) {
  const stop = useStopProbe();
  return (
    <div className="acts">
      <FormProblem message={problemIn(stop)?.message ?? null} />
      {fresh || probe === undefined ? null : (
        <button className="btn" type="button" onClick={onNew}>
          <Icon name="plus" />
          New probe
        </button>
      )}
      {probe?.state === "running" ? (
        <button className="btn stop" type="button" disabled={stop.isPending} onClick={() => stop.mutate(probe.id)}>
          <Icon name="stop" />
          Stop probe
        </button>
      ) : null}
    </div>
  );
}
