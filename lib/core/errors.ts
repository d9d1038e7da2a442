/**
 * The closed list of failures that may cross a module boundary, with the one
 * question a work queue asks of each: is trying again worth anything?
 *
 * Adding a code stops every exhaustive map over `FaultCode` from compiling, so
 * a new failure cannot reach a user without a status and a message.
 */
const RETRYABLE = {
  invalid: false,
  not_found: false,
  forbidden: false,
  unauthorized: false,
  already_exists: false,
  conflict: true,
  gone: true,
  unavailable: true,
  internal: true,
} as const;

/** What kind of failure: decides the HTTP status and whether a queue tries again. */
export type FaultCode = keyof typeof RETRYABLE;

// One process holds two copies of this file: the one Node loaded and the one
// Next bundled. A registered symbol is how a Fault thrown in one is still a
// Fault in the other.
const BRAND = Symbol.for("berth.fault");

/** Facts an operator needs beside the message. Never secrets, never whole objects. */
type FaultContext = Readonly<Record<string, string | number | boolean>>;

/** Which input was wrong and what would be right, by the field's dotted path ("spec.addresses.0"). */
export type FieldProblems = Readonly<Record<string, string>>;

/**
 * A failure that crosses a module boundary. `message` is one sentence for people: what happened and what to do.
 * `instanceof` holds across copies of this file.
 */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly [BRAND] = true;
  readonly code: FaultCode;
  readonly context: FaultContext;
  readonly fields: FieldProblems;

  static override [Symbol.hasInstance](value: unknown): value is Fault {
    return typeof value === "object" && value !== null && BRAND in value;
  }

  constructor(
    code: FaultCode,
    message: string,
    detail: { cause?: unknown; context?: FaultContext; fields?: FieldProblems } = {},
  ) {
    super(message, "cause" in detail ? { cause: detail.cause } : undefined);
    this.code = code;
    this.context = detail.context ?? {};
    this.fields = detail.fields ?? {};
  }

  get retryable(): boolean {
    return RETRYABLE[this.code];
  }

  /** Wraps whatever was thrown, so callers above a boundary only ever see a `Fault`. */
  static from(thrown: unknown): Fault {
    if (thrown instanceof Fault) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new Fault("internal", message, { cause: thrown });
  }
}

/** Marks a branch the types say is impossible; reaching it is a bug in us, not in the input. */
export function unreachable(value: never): never {
  throw new Fault("internal", `unhandled case: ${JSON.stringify(value)}`);
}
