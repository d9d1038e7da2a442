"use client";

import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { ServiceStatus } from "#api/dashboard/services";
import type { ExposeForm } from "#client/expose-form";
import { count, plural } from "#client/format";
import { useParams } from "#client/location";
import { useRows, useSession } from "#client/queries";
import { facets, filterServices, type ServiceTab, type SortKey, sortServices, tabOf } from "#client/service-list";
import { ExposePopover } from "#components/services/expose-popover";
import { ServiceDrawer } from "#components/services/service-drawer";
import { ServiceFilter } from "#components/services/service-filter";
import { ServiceTable } from "#components/services/service-table";
import { Empty, Failed, FilteredOut, Forbidden, Loading } from "#components/states/states";
import { Tabs } from "#components/ui/tabs";

const TABS: readonly ServiceTab[] = ["balancers", "exposable", "foreign"];

/** All Services: who has an address, who could have one, and who belongs to another controller. */
export function ServicesScreen() {
  const params = useParams();
  const query = useRows("services");
  const session = useSession();
  const asked = params.get("tab");
  const tab = TABS.find((candidate) => candidate === asked) ?? "balancers";
  const selected = params.get("service");
  const exposing = params.get("expose");
  const [text, setText] = useState("");
  const [status, setStatus] = useState<ServiceStatus | null>(null);
  const [sort, setSort] = useState<SortKey>("urgency");
  const card = useRef<HTMLElement>(null);

  const rows = query.data;
  const byTab = useMemo(() => {
    const lists: Record<ServiceTab, NonNullable<typeof rows>[number][]> = { balancers: [], exposable: [], foreign: [] };
    for (const row of rows ?? []) lists[tabOf(row)].push(row);
    return lists;
  }, [rows]);
  const inTab = byTab[tab];
  const shown = useMemo(() => sortServices(filterServices(inTab, { text, status }), sort), [inTab, text, status, sort]);
  const counts = useMemo(() => facets(inTab), [inTab]);
  const namespaces = useMemo(() => new Set(byTab.balancers.map((row) => row.namespace)).size, [byTab]);

  // A link to one Service opens the list it is in.
  const row = selected === null ? undefined : rows?.find((candidate) => candidate.key === selected);
  const home = row === undefined ? null : tabOf(row);
  const followed = useRef<string | null>(null);
  useEffect(() => {
    if (selected === null || home === null || followed.current === selected) return;
    followed.current = selected;
    if (home !== tab) params.set({ tab: home === "balancers" ? null : home });
  }, [selected, home, tab, params]);

  const { set } = params;
  const select = useCallback((key: string) => set({ service: key, expose: null }, "push"), [set]);
  const expose = useCallback((key: string) => set({ expose: key, service: null }), [set]);
  const clear = () => {
    setText("");
    setStatus(null);
  };

  return (
    <>
      <div className="head">
        <h1>Services</h1>
        {rows === undefined ? null : (
          <span className="sub">{`${plural(byTab.balancers.length, "load balancer")} in ${plural(namespaces, "namespace")}`}</span>
        )}
        <div className="acts">
          <button className="btn pri" type="button" onClick={() => params.set({ expose: "pick", service: null })}>
            Expose a Service
          </button>
        </div>
      </div>
      <Tabs
        label="Service lists"
        current={tab}
        onChange={(next) => {
          setStatus(null);
          params.set({ tab: next === "balancers" ? null : next });
        }}
        tabs={[
          { key: "balancers", label: "Load balancers", count: count(byTab.balancers.length) },
          { key: "exposable", label: "Not exposed", count: count(byTab.exposable.length) },
          { key: "foreign", label: "Not ours", count: count(byTab.foreign.length) },
        ]}
      />
      <ServiceFilter
        text={text}
        onText={setText}
        status={status}
        onStatus={setStatus}
        total={inTab.length}
        facets={counts}
      />
      <section className="card with-pop" aria-label="Services" ref={card}>
        {query.isError && rows === undefined ? (
          <Failed what="Services" error={query.error} onRetry={() => query.refetch()} />
        ) : session?.forbidden.includes("list services") === true ? (
          <Forbidden what="Services" denied="list services" />
        ) : rows === undefined ? (
          <Loading rows={8} label="Loading Services" />
        ) : inTab.length === 0 ? (
          <NoServices tab={tab} onExpose={() => params.set({ expose: "pick" })} />
        ) : shown.length === 0 ? (
          <FilteredOut total={inTab.length} what="Services" onClear={clear} />
        ) : (
          <ServiceTable
            rows={shown}
            tab={tab}
            sort={sort}
            onSort={setSort}
            selected={exposing !== null && exposing !== "pick" ? exposing : selected}
            onSelect={select}
            onExpose={expose}
          />
        )}
        {exposing === null || rows === undefined ? null : (
          <ExposePopover
            key={exposing}
            anchor={card}
            rows={rows}
            service={exposing === "pick" ? null : exposing}
            start={startWith(params.get("pool"), params.get("address"))}
            onAccepted={() => params.set({ tab: null })}
            onDetails={(key) => params.set({ expose: null, service: key, tab: null })}
            onClose={() => params.set({ expose: null, pool: null, address: null })}
          />
        )}
      </section>
      {row === undefined ? null : (
        <ServiceDrawer
          key={row.key}
          row={row}
          onClose={() => params.set({ service: null })}
          onExpose={() => params.set({ expose: row.key, service: null })}
        />
      )}
    </>
  );
}

function startWith(pool: string | null, address: string | null): Partial<ExposeForm> {
  return { ...(pool === null ? {} : { pool }), ...(address === null ? {} : { address }) };
}

function NoServices({ tab, onExpose }: { readonly tab: ServiceTab; readonly onExpose: () => void }) {
  if (tab === "foreign")
    return <Empty sentence="No Service belongs to another load balancer controller." hull="none" />;
  if (tab === "exposable") return <Empty sentence="Every Service that could have an address has one." hull="none" />;
  return (
    <Empty sentence="No Service has an address yet. Expose one, and it gets the first free address of a pool.">
      <button className="btn pri" type="button" onClick={onExpose}>
        Expose a Service
      </button>
    </Empty>
  );
}
