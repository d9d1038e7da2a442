import type { PoolPreview } from "#api/dashboard/pool-preview";
import { Hull } from "#components/ui/hull";

export type Effect = PoolPreview["services"][number];

const SHOWN = 40;

/** Service by Service, what a change does. */
export function Impact({ rows }: { readonly rows: readonly Effect[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable with the keyboard
    <section className="impact-box" tabIndex={0} aria-label="Services it touches">
      <ul className="impact">
        {rows.slice(0, SHOWN).map((row) => (
          <li key={row.service}>
            <span>
              <b>{row.service}</b>
              <span className="t2 xs block">{row.sentence}</span>
            </span>
            <span className="hulls">
              {row.addresses.map((address) => (
                <Hull key={address} address={address} />
              ))}
            </span>
          </li>
        ))}
      </ul>
      {rows.length > SHOWN ? <p className="t2">{`and ${rows.length - SHOWN} more`}</p> : null}
    </section>
  );
}
