"use client";

import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { ServiceRow } from "#api/dashboard/services";
import { problemIn, useExpose, useUnexpose } from "#client/actions";
import { type ExposeForm, exposeBody } from "#client/expose-form";
import { keyParts } from "#client/format";
import { restMessage } from "#client/problem";
import { useOperation, useRows } from "#client/queries";
import { tabOf } from "#client/service-list";
import { ExposeFields, useExposeForm } from "#components/services/expose-fields";
import { FormProblem } from "#components/ui/field";
import { Hops } from "#components/ui/hops";
import { Icon } from "#components/ui/icon";

const GAP = 6;

/** Puts the popover under the row it belongs to, inside its card; at the top when that row is not drawn. */
function usePlace(anchor: RefObject<HTMLElement | null>, service: string | null, list: string | null): number {
  const [top, setTop] = useState(48);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another list draws the row at another place
  useLayoutEffect(() => {
    const card = anchor.current;
    if (card === null || service === null) return setTop(48);
    const row = card.querySelector(`tr[data-key="${CSS.escape(service)}"]`);
    if (row === null) return;
    setTop(row.getBoundingClientRect().bottom - card.getBoundingClientRect().top + GAP);
  }, [anchor, service, list]);
  return top;
}

function choicesWith(key: string, open: readonly ServiceRow[]): readonly string[] {
  const keys = open.map((row) => row.key);
  return keys.includes(key) || key === "" ? keys : [key, ...keys];
}

/** Expose in one click: pool, address, port, policy; then the hops with their times, and a way back. */
export function ExposePopover({
  anchor,
  rows,
  service,
  start,
  onAccepted,
  onDetails,
  onClose,
}: {
  readonly anchor: RefObject<HTMLElement | null>;
  readonly rows: readonly ServiceRow[];
  /** Null: the popover asks which. */
  readonly service: string | null;
  /** What a link asked for: an address of the grid, a pool. */
  readonly start: Partial<ExposeForm>;
  readonly onAccepted: () => void;
  readonly onDetails: (service: string) => void;
  readonly onClose: () => void;
}) {
  const pools = useRows("pools").data ?? [];
  const open = rows.filter((row) => row.type !== "LoadBalancer" && row.exposeBlockedBy === null);
  const [picked, setPicked] = useState(service ?? "");
  const key = service ?? (picked === "" ? (open[0]?.key ?? "") : picked);
  const row = rows.find((candidate) => candidate.key === key);
  const form = useExposeForm(row, pools, start);
  const [operationId, setOperationId] = useState<string | null>(null);
  const operation = useOperation(operationId);
  const [portError, setPortError] = useState<string | null>(null);
  const expose = useExpose();
  const unexpose = useUnexpose();
  const ref = useRef<HTMLDivElement>(null);
  const top = usePlace(anchor, service, row === undefined ? null : tabOf(row));
  const { namespace, name } = keyParts(key);
  const started = operationId !== null;

  useEffect(() => {
    ref.current?.focus({ preventScroll: true });
    ref.current?.scrollIntoView({ block: "nearest" });
  }, []);

  const submit = async () => {
    if (row === undefined) return;
    const made = exposeBody(form.value, row);
    if ("error" in made) return setPortError(made.error);
    setPortError(null);
    try {
      const answer = await expose.mutateAsync({ service: row.key, body: made.body });
      // From now on it is a load balancer, and no longer among the choices.
      setPicked(row.key);
      setOperationId(answer.operation);
      onAccepted();
    } catch {
      // The refusal is on the mutation; the form shows it beside its input.
    }
  };
  const undo = async () => {
    try {
      const answer = await unexpose.mutateAsync(key);
      setOperationId(answer.operation);
    } catch {
      // As above.
    }
  };

  const problem = problemIn(expose);
  return (
    <div
      ref={ref}
      className="pop"
      role="dialog"
      aria-labelledby="expose-title"
      tabIndex={-1}
      style={{ insetBlockStart: top }}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <header>
        <h2 id="expose-title">
          Expose <span className="t2 light">{namespace === "" ? "" : `${namespace}/`}</span>
          {name}
        </h2>
        <button className="icb" type="button" aria-label="Close" onClick={onClose}>
          <Icon name="x" />
        </button>
      </header>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        {row === undefined ? (
          <p className="pop-none t2">No Service here can be exposed. It needs a cluster IP and ports.</p>
        ) : (
          <ExposeFields
            form={form}
            row={row}
            pools={pools}
            disabled={started || expose.isPending}
            problem={problem}
            portError={portError}
            choices={service === null ? choicesWith(key, open) : null}
            onChoose={setPicked}
          />
        )}
        <FormProblem
          message={restMessage(problem, ["pool", "address", "ports"]) ?? problemIn(unexpose)?.message ?? null}
        />
        {operation === undefined ? null : <Hops operation={operation} />}
        <footer>
          {started && operation?.kind !== "unexpose" ? (
            <button className="btn s ghost" type="button" disabled={unexpose.isPending} onClick={() => void undo()}>
              <Icon name="undo" />
              Undo
            </button>
          ) : null}
          <span className="end">
            {started ? (
              <>
                <button className="btn s" type="button" onClick={() => onDetails(key)}>
                  Details
                </button>
                <button className="btn s pri" type="button" onClick={onClose}>
                  Done
                </button>
              </>
            ) : (
              <button className="btn s pri" type="submit" disabled={row === undefined || expose.isPending}>
                {expose.isPending ? "Applying" : "Expose"}
              </button>
            )}
          </span>
        </footer>
      </form>
    </div>
  );
}
