/** A script as the small shell understands it. */
export type WordPart =
  | { readonly kind: "text"; readonly text: string; readonly quoted: boolean }
  | {
      readonly kind: "variable";
      readonly name: string;
      readonly quoted: boolean;
      /** `${name:-word}` (also `-`): used when the variable is unset or, with a colon, empty. */
      readonly fallback: { readonly word: Word; readonly whenEmpty: boolean } | null;
    }
  | { readonly kind: "command"; readonly script: Script; readonly quoted: boolean };
export type Word = readonly WordPart[];

export type Redirect =
  | { readonly kind: "write" | "append"; readonly fd: 1 | 2; readonly target: Word }
  | { readonly kind: "read"; readonly target: Word }
  | { readonly kind: "duplicate"; readonly fd: 1 | 2; readonly from: 1 | 2 };

export type Command =
  | {
      readonly kind: "simple";
      readonly assignments: readonly { readonly name: string; readonly value: Word }[];
      readonly words: readonly Word[];
      readonly redirects: readonly Redirect[];
    }
  | {
      readonly kind: "loop";
      readonly until: boolean;
      readonly condition: Script;
      readonly body: Script;
      readonly redirects: readonly Redirect[];
    }
  | {
      readonly kind: "for";
      readonly name: string;
      readonly words: readonly Word[];
      readonly body: Script;
      readonly redirects: readonly Redirect[];
    }
  | {
      readonly kind: "if";
      readonly branches: readonly { readonly condition: Script; readonly body: Script }[];
      readonly otherwise: Script | null;
      readonly redirects: readonly Redirect[];
    }
  | { readonly kind: "group"; readonly body: Script; readonly redirects: readonly Redirect[] };

export interface Chain {
  readonly first: Step;
  readonly rest: readonly { readonly operator: "&&" | "||"; readonly step: Step }[];
}
export interface Step {
  /** `! command`: success and failure trade places. */
  readonly negated: boolean;
  readonly command: Command;
}
export type Script = readonly Chain[];

/** Something this shell does not do, or a script that is not a script; the sentence goes to the container's log. */
export class ShellError extends Error {
  override readonly name = "ShellError";
  /** 127 for what is not supported, 2 for a syntax error, as a real shell would exit. */
  readonly exitCode: 2 | 127;

  constructor(exitCode: 2 | 127, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

export const unsupported = (what: string) =>
  new ShellError(127, `sh: ${what}: not supported by the small shell of Berth's sandbox`);
export const malformed = (what: string) => new ShellError(2, `sh: syntax error: ${what}`);
