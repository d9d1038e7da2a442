"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useMemo } from "react";
import { attention } from "#client/attention";
import { isComplete } from "#client/checklist";
import { clock } from "#client/format";
import { preflightQuery, useFreshPreflight, useRows, useSession } from "#client/queries";
import { RecentChanges } from "#components/activity/recent-changes";
import { Checklist } from "#components/overview/checklist";
import { LiveProbes } from "#components/overview/live-probes";
import { NeedsYou } from "#components/overview/needs-you";
import { PoolsCard } from "#components/overview/pools-card";
import { StatStrip } from "#components/overview/stat-strip";
import { WhoAnnounces } from "#components/overview/who-announces";
import { Failed, Loading } from "#components/states/states";
import { Icon } from "#components/ui/icon";
import { useNow } from "#components/ui/now";

/** What is going on, what needs a person, and, on a new cluster, the way to the first exposed Service. */
export function OverviewScreen() {
  const session = useSession();
  const services = useRows("services");
  const pools = useRows("pools");
  const nodes = useRows("nodes");
  const components = useRows("components");
  const checks = useQuery(preflightQuery).data;
  useFreshPreflight();
  const needs = useMemo(
    () =>
      attention({
        services: services.data ?? [],
        pools: pools.data ?? [],
        nodes: nodes.data ?? [],
        components: components.data ?? [],
        checks,
      }),
    [services.data, pools.data, nodes.data, components.data, checks],
  );
  const ready =
    session !== undefined && services.data !== undefined && pools.data !== undefined && nodes.data !== undefined;
  const first = session !== undefined && !isComplete(session.checklist);
  const bare = first && (pools.data?.length ?? 0) === 0 && session?.checklist.install === false;

  return (
    <>
      <div className="head">
        <h1>Overview</h1>
        <Checked />
        {bare ? null : (
          <div className="acts">
            <Link className="btn" href="/pools?new=pool">
              <Icon name="plus" />
              New pool
            </Link>
            <Link className={first ? "btn" : "btn pri"} href="/services?tab=exposable&expose=pick">
              Expose a Service
            </Link>
          </div>
        )}
      </div>
      {services.isError && services.data === undefined ? (
        <section className="card">
          <Failed what="the cluster" error={services.error} onRetry={() => services.refetch()} />
        </section>
      ) : !ready ? (
        <section className="card">
          <Loading rows={6} label="Loading the overview" />
        </section>
      ) : (
        <>
          {first ? <Checklist session={session} /> : null}
          {bare ? null : (
            <>
              <StatStrip />
              <div className="cols even w-overview">
                <NeedsYou needs={needs} />
                <section className="card" aria-labelledby="pools-title">
                  <PoolsCard pools={pools.data} />
                  <LiveProbes />
                </section>
              </div>
              <div className="cols even w-overview2">
                <WhoAnnounces nodes={nodes.data} services={services.data} />
                <RecentChanges limit={6} />
              </div>
            </>
          )}
        </>
      )}
    </>
  );
}

function Checked() {
  const now = useNow(1000);
  return <span className="sub" suppressHydrationWarning>{`Checked ${clock(now)}`}</span>;
}
