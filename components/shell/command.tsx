"use client";

import { useRouter } from "next/navigation";
import { useEffect, useId, useMemo, useRef, useState } from "react";
import { find, type Hit } from "#client/find";
import { useRows } from "#client/queries";
import { Hull } from "#components/ui/hull";
import { Icon, type IconName } from "#components/ui/icon";

const ICON: Record<Hit["kind"], IconName> = {
  page: "arrow",
  action: "plus",
  service: "services",
  address: "eye",
  pool: "pools",
  node: "nodes",
};

/** The command box: pages, actions, Services, pools, addresses and nodes, by a few letters. */
export function CommandBox({ onClose }: { readonly onClose: () => void }) {
  const ref = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const router = useRouter();
  const services = useRows("services").data;
  const pools = useRows("pools").data;
  const nodes = useRows("nodes").data;
  const hits = useMemo(
    () => find(text, { services: services ?? [], pools: pools ?? [], nodes: nodes ?? [] }),
    [text, services, pools, nodes],
  );
  const current = Math.min(at, hits.length - 1);

  useEffect(() => {
    const dialog = ref.current;
    if (dialog !== null && !dialog.open) dialog.showModal();
  }, []);

  const go = (hit: Hit | undefined) => {
    if (hit === undefined) return;
    ref.current?.close();
    router.push(hit.href);
  };

  return (
    <dialog
      ref={ref}
      className="palette"
      aria-label="Find"
      onClose={onClose}
      onPointerDown={(event) => {
        if (event.target === ref.current) ref.current?.close();
      }}
    >
      <div className="palette-in">
        <label className="palette-q">
          <Icon name="search" />
          <span className="vh">Find an address, Service or page</span>
          <input
            autoFocus
            role="combobox"
            aria-expanded="true"
            aria-controls={`${id}-list`}
            aria-activedescendant={hits.length === 0 ? undefined : `${id}-${current}`}
            autoComplete="off"
            spellCheck={false}
            placeholder="Find an address, Service or page"
            value={text}
            onChange={(event) => {
              setText(event.target.value);
              setAt(0);
            }}
            onKeyDown={(event) => {
              if (event.key === "ArrowDown") setAt(Math.min(current + 1, hits.length - 1));
              else if (event.key === "ArrowUp") setAt(Math.max(current - 1, 0));
              else if (event.key === "Enter") go(hits[current]);
              else return;
              event.preventDefault();
            }}
          />
          <kbd>Esc</kbd>
        </label>
        <div className="palette-list" id={`${id}-list`} role="listbox" aria-label="Found">
          {hits.map((hit, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are handled by the combobox that owns this list
            <div
              key={hit.id}
              id={`${id}-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === current}
              onPointerMove={() => setAt(index)}
              onClick={() => go(hit)}
            >
              <Icon name={ICON[hit.kind]} />
              {hit.kind === "address" ? <Hull address={hit.label} /> : <span className="strong">{hit.label}</span>}
              <span className="t3 xs">{hit.detail}</span>
            </div>
          ))}
        </div>
        {hits.length === 0 ? (
          <p className="palette-none" role="status">
            {`Nothing here is called “${text}”`}
          </p>
        ) : null}
      </div>
    </dialog>
  );
}
