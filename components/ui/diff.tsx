/** A change as lines: those that begin with - go, those with + come. */
export function Diff({ text, label }: { readonly text: string; readonly label: string }) {
  const lines = text.split("\n");
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable with the keyboard
    <section className="diff" tabIndex={0} aria-label={label}>
      {lines.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines of one fixed text
        <div key={index} className={line.startsWith("-") ? "del" : line.startsWith("+") ? "add" : "ctx"}>
          {line === "" ? " " : line}
        </div>
      ))}
    </section>
  );
}
