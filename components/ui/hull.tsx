import type { ReactNode } from "react";

/** An address. Everything hull-shaped is an address and nothing else is (visual.md section 1). */
export function Hull({
  address,
  note,
  big = false,
}: {
  readonly address: string;
  readonly note?: string;
  readonly big?: boolean;
}) {
  return (
    <span className={big ? "hull big" : "hull"}>
      {address}
      {note === undefined ? null : <small>{note}</small>}
    </span>
  );
}

/** The place where an address would be. */
export function NoHull({ children = "no address" }: { readonly children?: ReactNode }) {
  return <span className="hull none">{children}</span>;
}

export function NodeName({ name }: { readonly name: string | null }) {
  return name === null ? <span className="node off">no node</span> : <span className="node">{name}</span>;
}
