"use client";

/** The last net: a screen that broke says so in one sentence and can be tried again. */
export default function ErrorPage({ reset }: { readonly error: Error; readonly reset: () => void }) {
  return (
    <div className="empty" role="alert">
      <h1>This page stopped working</h1>
      <p className="t2">The cluster is not affected. Try again; if it stops again, reload the page.</p>
      <button className="btn pri" type="button" onClick={reset}>
        Try again
      </button>
    </div>
  );
}
