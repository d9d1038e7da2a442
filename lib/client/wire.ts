import { StreamMessage, TOPICS } from "#api/dashboard/stream";

/**
 * One `data:` line of the stream, checked. Rows that do not fit their schema
 * are left out and counted, so that one odd object cannot blank a screen.
 * Null for anything that is no message at all.
 */
export function parseMessage(text: string): { readonly message: StreamMessage; readonly dropped: number } | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  const parsed = StreamMessage.safeParse(json);
  if (!parsed.success) return null;
  const message = parsed.data;
  if (message.kind !== "snapshot" && message.kind !== "delta") return { message, dropped: 0 };
  const schema = TOPICS[message.topic];
  const given = message.kind === "snapshot" ? message.rows : message.upserts;
  const rows: unknown[] = [];
  for (const row of given) {
    const checked = schema.safeParse(row);
    if (checked.success) rows.push(checked.data);
  }
  const dropped = given.length - rows.length;
  return { message: message.kind === "snapshot" ? { ...message, rows } : { ...message, upserts: rows }, dropped };
}
