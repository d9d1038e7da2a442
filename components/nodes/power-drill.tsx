"use client";

import { problemIn, usePower } from "#client/actions";
import { useRows } from "#client/queries";
import { FormProblem } from "#components/ui/field";
import { Icon } from "#components/ui/icon";

/** Sandbox only: switches off the node that announces a Service, to watch the failover; and on again. */
export function PowerDrill({ service }: { readonly service: string }) {
  const nodes = useRows("nodes").data ?? [];
  const row = useRows("services").data?.find((candidate) => candidate.key === service);
  const power = usePower();
  const off = nodes.filter((node) => node.poweredOff);
  const announcing = row?.announcedBy[0];
  return (
    <div className="field">
      <span className="lab">Try a failure</span>
      {announcing === undefined || nodes.length - off.length < 2 ? null : (
        <button
          className="btn"
          type="button"
          disabled={power.isPending}
          onClick={() => power.mutate({ node: announcing, power: "off" })}
        >
          <Icon name="power" />
          {`Power off ${announcing}`}
        </button>
      )}
      {off.map((node) => (
        <button
          key={node.name}
          className="btn"
          type="button"
          disabled={power.isPending}
          onClick={() => power.mutate({ node: node.name, power: "on" })}
        >
          <Icon name="power" />
          {`Power on ${node.name}`}
        </button>
      ))}
      <span className="help">
        {announcing === undefined
          ? "No node announces it now."
          : `${announcing} announces it now. Another node takes over.`}
      </span>
      <FormProblem message={problemIn(power)?.message ?? null} />
    </div>
  );
}
