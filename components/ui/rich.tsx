import { Fragment, type ReactNode } from "react";
import { Hull, NodeName } from "#components/ui/hull";

const TOKEN = /(\b\d{1,3}(?:\.\d{1,3}){3}\b(?!:?\d|\/)|\bnode-\d+\b|\b(?:[0-9a-f]{1,4}:){2,7}:?[0-9a-f]{0,4}\b)/gi;
const MAC = /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i;

/** A label of the server with its addresses as hulls and its nodes as quays: "Assigned ⟦127.77.10.1⟧". */
export function Rich({ text }: { readonly text: string }) {
  const parts = text.split(TOKEN);
  return parts.map((part, index): ReactNode => {
    const key = `${index}:${part}`;
    if (index % 2 === 0 || MAC.test(part)) return part === "" ? null : <Fragment key={key}>{part}</Fragment>;
    return part.startsWith("node-") ? <NodeName key={key} name={part} /> : <Hull key={key} address={part} />;
  });
}
