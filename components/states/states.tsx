"use client";

import type { ReactNode } from "react";
import { clock } from "#client/format";
import { ApiProblem } from "#client/problem";
import { Copy } from "#components/ui/copy";
import { NoHull } from "#components/ui/hull";
import { Glyph, Icon } from "#components/ui/icon";

/** First load: blocks in the shape of the content, visible after 150 ms. */
export function Loading({ rows = 5, label }: { readonly rows?: number; readonly label: string }) {
  return (
    <div className="loading" role="status">
      <span className="vh">{label}</span>
      {Array.from({ length: rows }, (_, row) => row).map((row) => (
        <span key={row} className="sk" style={{ inlineSize: `${92 - ((row * 17) % 40)}%` }} />
      ))}
    </div>
  );
}

/** Never any: one sentence, one primary action, the free hull as the only drawing. */
export function Empty({
  sentence,
  children,
  hull = "no address",
}: {
  readonly sentence: string;
  readonly children?: ReactNode;
  readonly hull?: string;
}) {
  return (
    <div className="empty">
      <NoHull>{hull}</NoHull>
      <p>{sentence}</p>
      {children}
    </div>
  );
}

/** Everything is filtered out: how many there are, and the way back. */
export function FilteredOut({
  total,
  what,
  onClear,
}: {
  readonly total: number;
  readonly what: string;
  readonly onClear: () => void;
}) {
  return (
    <div className="empty">
      <p role="status">
        0 of {total} {what} match
      </p>
      <button className="btn s" type="button" onClick={onClear}>
        Clear filters
      </button>
    </div>
  );
}

/** A first load that failed: what, why, and a way to try again. A refusal of rights says which rights. */
export function Failed({
  what,
  error,
  onRetry,
}: {
  readonly what: string;
  readonly error: unknown;
  readonly onRetry: () => unknown;
}) {
  const problem = ApiProblem.from(error);
  if (problem.status === 403) return <Forbidden what={what} detail={problem.message} />;
  return (
    <div className="empty" role="alert">
      <p className="st failed">
        <Glyph name="failed" />
        {`Could not load ${what}`}
      </p>
      <p className="t2">{problem.message}</p>
      <div className="row">
        <button className="btn s" type="button" onClick={() => void onRetry()}>
          Retry
        </button>
        <Copy text={`${what}: ${problem.status} ${problem.code}\n${problem.message}`} label="Copy details">
          Copy details
        </Copy>
      </div>
    </div>
  );
}

/** Rows are shown, but their refresh failed: how old they are. */
export function Stale({ at, what }: { readonly at: number; readonly what: string }) {
  return (
    <p className="notice" role="status">
      <Glyph name="unknown" />
      {`${what} as of ${clock(at)}; newer data could not be read`}
    </p>
  );
}

/** A Role that grants one verb on one kind, to send to an administrator. */
function roleFor(verb: string, resource: string, group: string): string {
  return `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: berth-${verb}-${resource}
rules:
- apiGroups: ["${group}"]
  resources: ["${resource}"]
  verbs: ["${verb}", "watch", "get"]
`;
}

/** Not permitted: verb and kind in the server's words, and a role to copy. `denied` is "list services". */
export function Forbidden({
  what,
  detail,
  denied,
}: {
  readonly what: string;
  readonly detail?: string;
  readonly denied?: string;
}) {
  const [verb = "list", resource = ""] = (denied ?? "").split(" ");
  const group = ["services", "nodes", "events", "pods", "configmaps"].includes(resource)
    ? ""
    : resource.startsWith("deploy") || resource.startsWith("daemon")
      ? "apps"
      : "metallb.io";
  return (
    <div className="empty" role="alert">
      <p className="st unknown">
        <Glyph name="lock" />
        {`You may not see ${what}`}
      </p>
      {detail === undefined ? null : <p className="t2">{detail}</p>}
      {denied === undefined ? null : (
        <>
          <p className="t2">{`Missing right: ${verb} ${resource}, in all namespaces.`}</p>
          <Copy text={roleFor(verb, resource, group)} label="Copy a role that grants it">
            Copy a role that grants it
          </Copy>
        </>
      )}
    </div>
  );
}

/** Some kinds could not be read: what is missing from the screen, by name. */
export function Partial({ missing }: { readonly missing: readonly string[] }) {
  if (missing.length === 0) return null;
  return (
    <p className="notice" role="status">
      <Icon name="eye" />
      {`Shown in part: you may not ${missing.join(", nor ")}`}
    </p>
  );
}
