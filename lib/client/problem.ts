import type { Problem } from "#api/dashboard/problem";

/** A refusal or failure of the dashboard's server, as problem+json told it (RFC 9457). */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  /** HTTP status; 0 when no answer arrived. */
  readonly status: number;
  readonly code: string;
  /** Dotted path of the request body → what would be right. */
  readonly fields: Readonly<Record<string, string>>;

  constructor(problem: Pick<Problem, "status" | "code" | "detail"> & { readonly fields?: Problem["fields"] }) {
    super(problem.detail);
    this.status = problem.status;
    this.code = problem.code;
    this.fields = problem.fields ?? {};
  }

  /** Whatever was thrown, as the one kind of error that screens show. */
  static from(thrown: unknown): ApiProblem {
    if (thrown instanceof ApiProblem) return thrown;
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    return new ApiProblem({ status: 0, code: "unavailable", detail });
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** Reads a body that should be problem+json. Anything else still becomes one clear sentence, never raw HTML. */
export function problemOf(status: number, body: unknown): ApiProblem {
  const raw: Record<string, unknown> = typeof body === "object" && body !== null ? { ...body } : {};
  const fields: Record<string, string> = {};
  if (typeof raw.fields === "object" && raw.fields !== null)
    for (const [path, message] of Object.entries(raw.fields)) if (isText(message)) fields[path] = message;
  return new ApiProblem({
    status,
    code: isText(raw.code) ? raw.code : status >= 500 ? "internal" : "invalid",
    detail: isText(raw.detail) ? raw.detail : isText(raw.title) ? raw.title : `The server answered ${status}.`,
    fields,
  });
}

/** The message for one input: its own path, or the first one below it ("addresses" also takes "addresses.2"). */
export function fieldMessage(problem: ApiProblem | null, path: string): string | null {
  if (problem === null) return null;
  const own = problem.fields[path] ?? problem.fields[`spec.${path}`];
  if (own !== undefined) return own;
  for (const [field, message] of Object.entries(problem.fields))
    if (field.startsWith(`${path}.`) || field.startsWith(`spec.${path}.`)) return message;
  return null;
}

/** What is left to say above the form: the detail, when no input of `paths` already shows it. */
export function restMessage(problem: ApiProblem | null, paths: readonly string[]): string | null {
  if (problem === null) return null;
  const shown = paths.some((path) => fieldMessage(problem, path) !== null);
  const hidden = Object.keys(problem.fields).filter(
    (field) => !paths.some((path) => [path, `spec.${path}`].some((p) => field === p || field.startsWith(`${p}.`))),
  );
  if (shown && hidden.length === 0) return null;
  const extra = hidden.map((field) => `${field}: ${problem.fields[field]}`);
  return [problem.message, ...extra.filter((line) => !problem.message.includes(line))].join(" ");
}
