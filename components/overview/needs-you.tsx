"use client";

import Link from "next/link";
import { useState } from "react";
import type { Need } from "#client/attention";
import { count } from "#client/format";
import { Empty } from "#components/states/states";
import { Glyph } from "#components/ui/icon";

const SHOWN = 6;

/** Worst first, at most six until asked for all; each with its cause and the one thing to do. */
export function NeedsYou({ needs }: { readonly needs: readonly Need[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? needs : needs.slice(0, SHOWN);
  return (
    <section className="card" aria-labelledby="needs-title">
      <header>
        <h2 id="needs-title">Needs you</h2>
        {needs.length > SHOWN ? (
          <button className="more linkish" type="button" onClick={() => setAll(!all)}>
            {all ? `${count(needs.length)}, show the worst` : `${SHOWN} of ${count(needs.length)}, show all`}
          </button>
        ) : null}
      </header>
      {needs.length === 0 ? (
        <Empty
          sentence="Nothing needs you. Every Service has an address, and every address is announced."
          hull="all well"
        />
      ) : (
        <ul className="needs">
          {shown.map((need) => (
            <li key={need.id}>
              <Glyph name={need.tone} />
              <p>
                <Link href={need.action.href}>
                  <span className="vh">{`${need.tone}: `}</span>
                  <span className="strong">{need.subject}</span>
                  {need.text}
                </Link>
              </p>
              <p className="cause" title={need.cause}>
                {need.cause}
              </p>
              <Link className="btn s" href={need.action.href} aria-label={`${need.action.label}: ${need.subject}`}>
                {need.action.label}
              </Link>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
