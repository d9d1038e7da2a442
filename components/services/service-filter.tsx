"use client";

import { useEffect, useRef } from "react";
import type { ServiceStatus } from "#api/dashboard/services";
import { count } from "#client/format";
import { Glyph, Icon } from "#components/ui/icon";
import { serviceStatus } from "#components/ui/status";

/** Filter box ("/" goes to it) and one facet per status that occurs. */
export function ServiceFilter({
  text,
  onText,
  status,
  onStatus,
  total,
  facets,
}: {
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly status: ServiceStatus | null;
  readonly onStatus: (status: ServiceStatus | null) => void;
  readonly total: number;
  readonly facets: readonly { readonly status: ServiceStatus; readonly count: number }[];
}) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      const typing =
        event.target instanceof HTMLElement && event.target.closest("input, textarea, select, dialog") !== null;
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener("keydown", focus);
    return () => removeEventListener("keydown", focus);
  }, []);
  return (
    <fieldset className="facets">
      <legend className="vh">Filter Services</legend>
      <label className="find">
        <Icon name="search" />
        <span className="vh">Filter by name, address, port, pool or node</span>
        <input
          ref={input}
          type="text"
          autoComplete="off"
          spellCheck={false}
          placeholder="Filter by name, address, port"
          value={text}
          onChange={(event) => onText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") onText("");
          }}
        />
        <kbd>/</kbd>
      </label>
      <button className="facet" type="button" aria-pressed={status === null} onClick={() => onStatus(null)}>
        All <b>{count(total)}</b>
      </button>
      {facets.map((facet) => {
        const { tone, word } = serviceStatus(facet.status);
        const pressed = facet.status === status;
        return (
          <button
            key={facet.status}
            className="facet"
            type="button"
            aria-pressed={pressed}
            onClick={() => onStatus(pressed ? null : facet.status)}
          >
            <Glyph name={tone} />
            {word} <b>{count(facet.count)}</b>
          </button>
        );
      })}
    </fieldset>
  );
}
