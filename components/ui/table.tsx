import type { ComponentProps, ReactNode } from "react";

/*
 * Tables that become cards on a small screen. `display` then takes their
 * roles away, so every part states its own; Biome calls that redundant.
 */

/** A table in a region that scrolls sideways and can be reached with the keyboard. */
export function Table({
  label,
  head,
  children,
  className = "",
  region,
}: {
  readonly label: string;
  readonly head: ReactNode;
  readonly children: ReactNode;
  readonly className?: string;
  readonly region?: ComponentProps<"section">;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable with the keyboard
    <section className="scroll" tabIndex={0} aria-label={/table$/i.test(label) ? label : `${label}, table`} {...region}>
      {/* biome-ignore lint/a11y/noRedundantRoles: see the top of the file */}
      <table className={`stack ${className}`} role="table">
        {/* biome-ignore lint/a11y/noRedundantRoles: see the top of the file */}
        <thead role="rowgroup">
          <Tr>{head}</Tr>
        </thead>
        {/* biome-ignore lint/a11y/noRedundantRoles: see the top of the file */}
        <tbody role="rowgroup">{children}</tbody>
      </table>
    </section>
  );
}

export function Tr({ children, ...props }: ComponentProps<"tr">) {
  return (
    // biome-ignore lint/a11y/noRedundantRoles: see the top of the file
    <tr role="row" {...props}>
      {children}
    </tr>
  );
}

export function Th({ children, ...props }: ComponentProps<"th">) {
  return (
    // biome-ignore lint/a11y/noRedundantRoles: see the top of the file
    <th role="columnheader" scope="col" {...props}>
      {children}
    </th>
  );
}

/** `lead`, `end`, `full` and `m-hide` in `className` place the cell on a card. */
export function Td({ children, ...props }: ComponentProps<"td">) {
  return (
    // biome-ignore lint/a11y/noRedundantRoles: see the top of the file
    <td role="cell" {...props}>
      {children}
    </td>
  );
}
