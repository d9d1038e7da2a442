"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useState } from "react";
import {
  problemIn,
  useApplyDemo,
  useComponentAction,
  useCreatePool,
  useExpose,
  useFixCheck,
  useStartProbe,
} from "#client/actions";
import { preferredPool } from "#client/expose-form";
import { createBody, EMPTY_FORM, type PoolForm, sandboxPool } from "#client/pool-form";
import { fieldMessage, restMessage } from "#client/problem";
import { preflightQuery, useLatestOperation, useRows, useSession } from "#client/queries";
import { judgeRanges } from "#client/range-input";
import { RangesLive } from "#components/pools/pool-fields";
import { Diff } from "#components/ui/diff";
import { FormProblem, TextField } from "#components/ui/field";
import { Hops } from "#components/ui/hops";
import { Hull } from "#components/ui/hull";
import { Icon } from "#components/ui/icon";

export function PreflightStep() {
  const checks = useQuery(preflightQuery).data;
  const fix = useFixCheck();
  const operation = useLatestOperation("fix");
  const done = useSession()?.checklist.preflight === true;
  const finished = operation?.state;
  const check = checks?.find((candidate) => candidate.fix !== null);
  return (
    <>
      {check?.fix == null || done || finished === "running" ? null : (
        <Diff text={check.fix.change} label="Change to ConfigMap kube-proxy" />
      )}
      {finished === "running" ? null : done ? (
        <p className="t2">
          {checks?.find((candidate) => candidate.id.toLowerCase().includes("arp"))?.evidence ?? "Passed."}
        </p>
      ) : check?.fix == null ? (
        <p className="t2">
          {checks === undefined
            ? "The checks are running."
            : "Nothing to fix was found; the checks run again by themselves."}
        </p>
      ) : (
        <p>
          <button
            className="btn pri"
            type="button"
            disabled={fix.isPending || operation?.state === "running"}
            onClick={() => fix.mutate(check.id)}
          >
            {check.fix.label}
          </button>
        </p>
      )}
      <FormProblem message={problemIn(fix)?.message ?? null} />
      {operation === undefined ? null : <Hops operation={operation} />}
    </>
  );
}

export function InstallStep() {
  const components = useRows("components").data ?? [];
  const act = useComponentAction();
  const operation = useLatestOperation("install");
  const [asked, setAsked] = useState(false);
  const missing = components.filter((row) => !row.installed);
  const blocked = components.find((row) => row.actionsBlockedBy !== null)?.actionsBlockedBy ?? null;
  const install = async () => {
    setAsked(true);
    try {
      for (const row of missing) await act.mutateAsync({ component: row.component, act: "install" });
    } catch {
      setAsked(false);
    }
  };
  const operations = useRows("operations").data ?? [];
  const running = operations.filter((row) => row.kind === "install");
  return (
    <>
      {blocked !== null ? <p className="t2">{blocked}</p> : null}
      {missing.length === 0 && operation === undefined ? (
        <p className="t2">Both are installed.</p>
      ) : missing.length === 0 ? null : (
        <p>
          <button
            className="btn pri"
            type="button"
            disabled={blocked !== null || act.isPending || (asked && operation?.state === "running")}
            onClick={() => void install()}
          >
            Install both
          </button>
        </p>
      )}
      <FormProblem message={problemIn(act)?.message ?? null} />
      <div className="side-by-side">
        {running.slice(-2).map((row) => (
          <Hops key={row.id} operation={row} label={`Install ${row.target}`} />
        ))}
      </div>
    </>
  );
}

export function PoolStep() {
  const sandbox = useSession()?.sandbox === true;
  const pools = useRows("pools").data ?? [];
  const nodes = useRows("nodes").data ?? [];
  const create = useCreatePool();
  const [own, setOwn] = useState<Partial<PoolForm>>({});
  const form: PoolForm = { ...(sandbox ? sandboxPool(nodes) : EMPTY_FORM), ...own };
  const problem = problemIn(create);
  const change = (part: Partial<PoolForm>) => setOwn((before) => ({ ...before, ...part }));
  const unheard = pools.find((pool) => pool.advertisedBy.length === 0);
  if (pools.length > 0)
    return (
      <p className="t2">
        {unheard === undefined
          ? `Pool ${pools.map((pool) => pool.name).join(", ")} is there.`
          : `Pool ${unheard.name} is announced by nobody yet.`}{" "}
        <Link
          className="link"
          href={unheard === undefined ? "/pools" : `/pools?pool=${encodeURIComponent(unheard.name)}&tab=advertisements`}
        >
          {unheard === undefined ? "Open Pools" : "Advertise it"}
        </Link>
      </p>
    );
  return (
    <form
      className="step-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate(createBody(form));
      }}
    >
      <TextField
        label="Pool"
        error={fieldMessage(problem, "name")}
        value={form.name}
        onChange={(text) => change({ name: text })}
      />
      <TextField
        label="Addresses"
        error={fieldMessage(problem, "addresses")}
        mono
        value={form.ranges}
        onChange={(text) => change({ ranges: text })}
      />
      <TextField
        label="Advertisement"
        error={fieldMessage(problem, "advertise.name")}
        value={form.advertisement}
        onChange={(text) => change({ advertisement: text })}
      />
      <RangesLive ranges={judgeRanges(form.ranges, pools, null)} />
      <FormProblem message={restMessage(problem, ["name", "addresses", "advertise.name"])} />
      <p>
        <button className="btn pri" type="submit" disabled={create.isPending}>
          {create.isPending ? "Creating" : "Create pool and advertisement"}
        </button>
      </p>
    </form>
  );
}

export function WorkloadStep() {
  const demo = useApplyDemo();
  const operation = useLatestOperation("demo");
  return (
    <>
      <p>
        <button
          className="btn pri"
          type="button"
          disabled={demo.isPending || operation?.state === "running"}
          onClick={() => demo.mutate(undefined)}
        >
          Apply the demo
        </button>
      </p>
      <FormProblem message={problemIn(demo)?.message ?? null} />
      {operation === undefined ? null : <Hops operation={operation} />}
    </>
  );
}

/** The Service the checklist exposes: the demo's, else the first that can be. */
function useCandidate() {
  const services = useRows("services").data ?? [];
  const open = services.filter((row) => row.type !== "LoadBalancer" && row.exposeBlockedBy === null);
  return open.find((row) => row.name.includes("nginx")) ?? open[0];
}

export function ExposeStep() {
  const row = useCandidate();
  const pools = useRows("pools").data ?? [];
  const expose = useExpose();
  const operation = useLatestOperation("expose");
  const pool = row === undefined ? "" : preferredPool(pools, row.namespace);
  const pick = pools.find((candidate) => candidate.name === pool);
  return (
    <>
      {row === undefined ? (
        operation === undefined ? (
          <p className="t2">There is no Service to expose yet: run the demo workload first.</p>
        ) : null
      ) : (
        <p className="row">
          <button
            className="btn pri"
            type="button"
            disabled={expose.isPending || operation?.state === "running" || pools.length === 0}
            onClick={() => expose.mutate({ service: row.key, body: pool === "" ? {} : { pool } })}
          >
            {`Expose ${row.key}`}
          </button>
          {pick?.ipv4?.nextFree == null ? null : (
            <span className="t2">
              It gets <Hull address={pick.ipv4.nextFree} />
            </span>
          )}
        </p>
      )}
      <FormProblem message={problemIn(expose)?.message ?? null} />
      {operation === undefined ? null : <Hops operation={operation} />}
    </>
  );
}

export function ProbeStep() {
  const services = useRows("services").data ?? [];
  const start = useStartProbe();
  const router = useRouter();
  const row = services.find((candidate) => candidate.type === "LoadBalancer" && candidate.addresses.length > 0);
  const begin = async () => {
    if (row === undefined) return;
    try {
      const probe = await start.mutateAsync({ service: row.key });
      router.push(`/traffic?probe=${encodeURIComponent(probe.id)}`);
    } catch {
      // Shown below.
    }
  };
  return (
    <>
      {row === undefined ? (
        <p className="t2">Expose a Service first.</p>
      ) : (
        <p>
          <button className="btn pri" type="button" disabled={start.isPending} onClick={() => void begin()}>
            <Icon name="play" />
            {`Probe ${row.key}`}
          </button>
        </p>
      )}
      <FormProblem message={problemIn(start)?.message ?? null} />
    </>
  );
}
