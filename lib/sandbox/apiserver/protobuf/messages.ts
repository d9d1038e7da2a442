import { type FieldType, parseTable } from "#sandbox/kinds/schema/definitions";
import { CORE_A_TO_M, CORE_N_TO_Z } from "./table-core.ts";
import {
  ADMISSIONREGISTRATION,
  APPS,
  AUTHENTICATION,
  AUTHORIZATION,
  AUTOSCALING,
  COORDINATION,
  DISCOVERY,
  EVENTS,
  META,
  POLICY,
  RBAC,
} from "./table-groups.ts";

export interface MessageField {
  /** Member of the JSON form; "" for a message whose members are the parent's own. */
  readonly name: string;
  readonly type: FieldType;
  /** A pointer in Go: an explicit zero is kept. Of other fields a zero is the same as nothing. */
  readonly keepsZero: boolean;
}

/** Fields by their number. */
type Message = ReadonlyMap<number, MessageField>;

const TABLES: readonly (readonly [table: string, apiVersion: string, text: string])[] = [
  ["meta", "meta.k8s.io/v1", META],
  ["core", "v1", CORE_A_TO_M],
  ["core", "v1", CORE_N_TO_Z],
  ["apps", "apps/v1", APPS],
  ["rbac", "rbac.authorization.k8s.io/v1", RBAC],
  ["discovery", "discovery.k8s.io/v1", DISCOVERY],
  ["coordination", "coordination.k8s.io/v1", COORDINATION],
  ["policy", "policy/v1", POLICY],
  ["autoscaling", "autoscaling/v1", AUTOSCALING],
  ["events", "events.k8s.io/v1", EVENTS],
  ["authentication", "authentication.k8s.io/v1", AUTHENTICATION],
  ["authorization", "authorization.k8s.io/v1", AUTHORIZATION],
  ["admissionregistration", "admissionregistration.k8s.io/v1", ADMISSIONREGISTRATION],
];

/**
 * Reads the tables, in the notation of the kinds' own (`parseTable`) with three differences: `number=` before each
 * field, `!` for a field that keeps its zero, and `.` as the name of an embedded message.
 */
function readTables(): ReadonlyMap<string, Message> {
  const messages = new Map<string, Message>();
  for (const [table, , text] of TABLES) {
    for (const { id, fields } of parseTable(table, text).values()) {
      const numbered = [...fields.values()].map((field): [number, MessageField] => {
        const [number, name = ""] = field.name.split("=");
        return [Number(number), { name: name === "." ? "" : name, type: field.type, keepsZero: field.required }];
      });
      messages.set(id, new Map(numbered));
    }
  }
  return messages;
}

let known: ReadonlyMap<string, Message> | undefined;

/** The message with this id ("core/PodSpec"); undefined when there is none. Tables are read at the first use. */
export function messageOf(id: string): Message | undefined {
  known ??= readTables();
  return known.get(id);
}

/** The id of the message that a body of this type holds; undefined when no table has it. */
export function messageIdOf(apiVersion: string, kind: string): string | undefined {
  // Its version is that of the deleted object's group, or of metav1.
  if (kind === "DeleteOptions") return "meta/DeleteOptions";
  const table = TABLES.find(([name, version]) => version === apiVersion && messageOf(`${name}/${kind}`) !== undefined);
  if (table === undefined) return undefined;
  const id = `${table[0]}/${kind}`;
  // Only what has metadata is an object of its own; the others are parts.
  return messageOf(id)?.get(1)?.name === "metadata" ? id : undefined;
}
