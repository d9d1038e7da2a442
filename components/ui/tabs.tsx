"use client";

import type { ReactNode } from "react";

/** Views of one thing. Buttons in a navigation, the current one said by `aria-current`. */
export function Tabs<K extends string>({
  label,
  tabs,
  current,
  onChange,
}: {
  readonly label: string;
  readonly tabs: readonly { readonly key: K; readonly label: ReactNode; readonly count?: number | string }[];
  readonly current: K;
  readonly onChange: (key: K) => void;
}) {
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map((tab) => (
        <button
          key={tab.key}
          type="button"
          aria-current={tab.key === current ? "page" : undefined}
          onClick={() => onChange(tab.key)}
        >
          {tab.label}
          {tab.count === undefined ? null : <small>{tab.count}</small>}
        </button>
      ))}
    </nav>
  );
}

/** Two to five exclusive choices side by side. */
export function Segment<K extends string>({
  label,
  name,
  options,
  value,
  onChange,
  disabled = false,
}: {
  readonly label: string;
  readonly name: string;
  readonly options: readonly { readonly value: K; readonly label: string }[];
  readonly value: K;
  readonly onChange: (value: K) => void;
  readonly disabled?: boolean;
}) {
  return (
    <div className="seg" role="radiogroup" aria-label={label}>
      {options.map((option) => (
        <label key={option.value}>
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            disabled={disabled}
            onChange={() => onChange(option.value)}
          />
          {option.label}
        </label>
      ))}
    </div>
  );
}
