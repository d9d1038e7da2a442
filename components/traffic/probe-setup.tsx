"use client";

import { useState } from "react";
import type { ProbeRow } from "#api/dashboard/probes";
import type { ServiceRow } from "#api/dashboard/services";
import { problemIn, useStartProbe } from "#client/actions";
import { clock, count } from "#client/format";
import { fieldMessage, restMessage } from "#client/problem";
import { useSession } from "#client/queries";
import { PowerDrill } from "#components/nodes/power-drill";
import { Field, FormProblem, TextField } from "#components/ui/field";
import { Icon } from "#components/ui/icon";
import { Segment } from "#components/ui/tabs";

const RATES = ["1", "5", "20", "50"] as const;
const DEFAULT_RATE = "5";

/** Settings of a run: fixed while it runs, the start of the next one otherwise. */
export function ProbeSetup({
  probe,
  services,
  wanted,
  onStarted,
}: {
  readonly probe: ProbeRow | undefined;
  readonly services: readonly ServiceRow[];
  readonly wanted: string | null;
  readonly onStarted: (id: string) => void;
}) {
  const running = probe?.state === "running";
  const sandbox = useSession()?.sandbox === true;
  const [service, setService] = useState(probe?.service ?? wanted ?? "");
  const [rate, setRate] = useState(probe === undefined ? DEFAULT_RATE : String(probe.rate));
  const [path, setPath] = useState(probe === undefined ? "/" : pathOf(probe.url));
  const start = useStartProbe();
  const problem = problemIn(start);
  const key = service === "" ? (services[0]?.key ?? "") : service;
  const [port, setPort] = useState<string>("");
  const row = services.find((candidate) => candidate.key === key);
  const tcp = row?.ports.filter((candidate) => candidate.protocol === "TCP") ?? [];

  const begin = async () => {
    try {
      const made = await start.mutateAsync({
        service: key,
        rate: Number(rate),
        path: path === "" ? "/" : path,
        ...(port === "" ? {} : { port: Number(port) }),
      });
      onStarted(made.id);
    } catch {
      // The refusal stands beside its input.
    }
  };

  return (
    <section className="setup" aria-label="Probe settings">
      {probe === undefined ? null : (
        <div className="vant">
          <b>
            <Icon name="eye" />
            {`Seen from ${probe.vantage}`}
          </b>
          {sandbox
            ? "Takes the whole path: ARP, node, proxy, pod."
            : "Takes the whole path only if that machine is outside the cluster."}
        </div>
      )}
      <form
        className="setup-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void begin();
        }}
      >
        {running ? (
          <Field label="Request">
            {(props) => <input {...props} className="inp mono" value={`GET ${probe.url}`} readOnly />}
          </Field>
        ) : (
          <>
            <Field label="Service" error={fieldMessage(problem, "service")}>
              {(props) => (
                <select
                  {...props}
                  className="inp"
                  value={key}
                  disabled={services.length === 0}
                  onChange={(event) => setService(event.target.value)}
                >
                  {services.length === 0 ? <option value="">none is exposed</option> : null}
                  {services.map((candidate) => (
                    <option key={candidate.key}>{candidate.key}</option>
                  ))}
                </select>
              )}
            </Field>
            {tcp.length < 2 ? null : (
              <Field label="Port" error={fieldMessage(problem, "port")}>
                {(props) => (
                  <select
                    {...props}
                    className="inp mono"
                    value={port}
                    onChange={(event) => setPort(event.target.value)}
                  >
                    {tcp.map((candidate, index) => (
                      <option key={candidate.port} value={index === 0 ? "" : String(candidate.port)}>
                        {candidate.port}
                      </option>
                    ))}
                  </select>
                )}
              </Field>
            )}
            <TextField label="Path" error={fieldMessage(problem, "path")} mono value={path} onChange={setPath} />
          </>
        )}
        <div className="field">
          <span className="lab" aria-hidden="true">
            Requests per second
          </span>
          <Segment
            label="Requests per second"
            name="rate"
            disabled={running}
            value={rate}
            onChange={setRate}
            options={[...RATES, ...(RATES.some((value) => value === rate) ? [] : [rate])].map((value) => ({
              value,
              label: value === "" ? "?" : value,
            }))}
          />
        </div>
        {running ? null : (
          <TextField
            label="Or any rate"
            error={fieldMessage(problem, "rate")}
            help="0.1 to 50"
            mono
            inputMode="decimal"
            value={rate}
            onChange={setRate}
          />
        )}
        {running ? (
          <p className="foot-note">{`A new connection per request. Stops by itself at ${clock(probe.stopsAt)}. ${count(probe.sent)} requests sent.`}</p>
        ) : (
          <>
            <button className="btn pri" type="submit" disabled={key === "" || start.isPending}>
              <Icon name="play" />
              {start.isPending ? "Starting" : "Start probe"}
            </button>
            <p className="foot-note">A new connection per request. It stops by itself after 15 minutes.</p>
          </>
        )}
        <FormProblem message={restMessage(problem, ["service", "port", "path", "rate"])} />
      </form>
      {running ? (
        <>
          <div className="field">
            <span className="lab">Pod is read from</span>
            <code className="inp read">POD: … NODE: …</code>
            <span className="help">{`${count(attributed(probe))} of ${count(probe.sent)} replies name their pod`}</span>
          </div>
          {sandbox ? <PowerDrill service={probe.service} /> : null}
        </>
      ) : null}
    </section>
  );
}

function attributed(probe: ProbeRow): number {
  return probe.outcomes.ok ?? 0;
}

function pathOf(url: string): string {
  try {
    const parsed = new URL(url);
    return parsed.pathname + parsed.search;
  } catch {
    return "/";
  }
}
