import {
  type Chain,
  type Command,
  malformed,
  type Redirect,
  type Script,
  type Step,
  unsupported,
  type Word,
} from "./syntax.ts";
import { readWord } from "./words.ts";

const STARTERS = ["while", "until", "for", "if", "{", "("];
const RESERVED = ["do", "done", "then", "elif", "else", "fi", "}", "in"];
const MAX_DEPTH = 50;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*/;

/** Parses a whole script. Throws `ShellError`: 2 for a syntax error, 127 for what this shell does not do. */
export function parseScript(source: string, depth = 0): Script {
  const parser = new Parser(source.replaceAll("\r\n", "\n"), depth);
  const script = parser.script([]);
  parser.expectEnd();
  return script;
}

class Parser {
  readonly #source: string;
  readonly #depth: number;
  #at = 0;
  #nesting = 0;

  constructor(source: string, depth: number) {
    if (depth > MAX_DEPTH) throw malformed("nested too deeply");
    this.#source = source;
    this.#depth = depth;
  }

  /** Commands up to one of the reserved words in `ends` (or ")"), which is left unread. */
  script(ends: readonly string[]): Script {
    if (++this.#nesting > MAX_DEPTH) throw malformed("nested too deeply");
    const chains: Chain[] = [];
    for (;;) {
      this.#skip(true);
      if (this.#atEnd() || ends.some((end) => this.#sees(end))) break;
      chains.push(this.#chain());
      this.#skip(false);
      const next = this.#peek();
      if (next === ";" && this.#peek(1) !== ";") this.#at++;
      else if (next === "&") throw unsupported("background jobs (&)");
      else if (next !== "\n" && !this.#atEnd() && !ends.some((end) => this.#sees(end))) this.#unexpected();
    }
    this.#nesting--;
    return chains;
  }

  expectEnd(): void {
    if (!this.#atEnd()) this.#unexpected();
  }

  #chain(): Chain {
    const first = this.#step();
    const rest: { operator: "&&" | "||"; step: Step }[] = [];
    for (;;) {
      this.#skip(false);
      const operator = this.#source.slice(this.#at, this.#at + 2);
      if (operator !== "&&" && operator !== "||") break;
      this.#at += 2;
      this.#skip(true);
      rest.push({ operator, step: this.#step() });
    }
    if (this.#peek() === "|") throw unsupported("pipes (|)");
    return { first, rest };
  }

  #step(): Step {
    let negated = false;
    while (this.#takeWord("!")) negated = !negated;
    return { negated, command: this.#command() };
  }

  #command(): Command {
    this.#skip(false);
    const foreign = ["case", "function", "select"].find((word) => this.#sees(word));
    if (foreign !== undefined) throw unsupported(`"${foreign}"`);
    const starter = STARTERS.find((word) => this.#sees(word));
    if (starter === undefined) return this.#simple();
    this.#at += starter.length;
    const body = this.#compound(starter);
    return { ...body, redirects: this.#redirects() };
  }

  #compound(starter: string): Command {
    const redirects: readonly Redirect[] = [];
    if (starter === "{" || starter === "(") {
      const end = starter === "{" ? "}" : ")";
      const body = this.script([end]);
      this.#expect(end);
      return { kind: "group", body, redirects };
    }
    if (starter === "for") return this.#for();
    if (starter === "if") return this.#if();
    const condition = this.script(["do"]);
    this.#expect("do");
    const body = this.script(["done"]);
    this.#expect("done");
    return { kind: "loop", until: starter === "until", condition, body, redirects };
  }

  #for(): Command {
    this.#skip(false);
    const name = NAME.exec(this.#source.slice(this.#at))?.[0];
    if (name === undefined) throw malformed('a name is needed after "for"');
    this.#at += name.length;
    this.#skip(false);
    const words: Word[] = [];
    if (this.#takeWord("in")) {
      for (let word = this.#word(); word !== null; word = this.#word()) words.push(word);
    }
    this.#skip(false);
    if (this.#peek() === ";") this.#at++;
    this.#skip(true);
    this.#expect("do");
    const body = this.script(["done"]);
    this.#expect("done");
    return { kind: "for", name, words, body, redirects: [] };
  }

  #if(): Command {
    const branches: { condition: Script; body: Script }[] = [];
    let otherwise: Script | null = null;
    do {
      const condition = this.script(["then"]);
      this.#expect("then");
      branches.push({ condition, body: this.script(["elif", "else", "fi"]) });
    } while (this.#takeWord("elif"));
    if (this.#takeWord("else")) otherwise = this.script(["fi"]);
    this.#expect("fi");
    return { kind: "if", branches, otherwise, redirects: [] };
  }

  #simple(): Command {
    const assignments: { name: string; value: Word }[] = [];
    const words: Word[] = [];
    const redirects: Redirect[] = [];
    for (;;) {
      this.#skip(false);
      const redirect = this.#redirect();
      if (redirect !== null) {
        redirects.push(redirect);
        continue;
      }
      if (words.length === 0) {
        const reserved = RESERVED.find((word) => this.#sees(word));
        if (reserved !== undefined) throw malformed(`unexpected "${reserved}"`);
        const name = /^([A-Za-z_][A-Za-z0-9_]*)=/.exec(this.#source.slice(this.#at, this.#at + 300))?.[1];
        if (name !== undefined) {
          this.#at += name.length + 1;
          assignments.push({ name, value: this.#word() ?? [] });
          continue;
        }
      }
      const word = this.#word();
      if (word === null) break;
      words.push(word);
    }
    if (words.length === 0 && assignments.length === 0 && redirects.length === 0) this.#unexpected();
    this.#skip(false);
    if (this.#peek() === "(") throw unsupported("functions");
    return { kind: "simple", assignments, words, redirects };
  }

  #redirects(): readonly Redirect[] {
    const redirects: Redirect[] = [];
    for (;;) {
      this.#skip(false);
      const redirect = this.#redirect();
      if (redirect === null) return redirects;
      redirects.push(redirect);
    }
  }

  #redirect(): Redirect | null {
    const match = /^([0-9]?)(>>|>&|<<|>\||>|<)/.exec(this.#source.slice(this.#at, this.#at + 4));
    if (match === null) return null;
    const [all, fdText = "", operator = ""] = match;
    this.#at += all.length;
    if (operator === "<<") throw unsupported("here-documents (<<)");
    if (operator === "<") {
      if (fdText !== "" && fdText !== "0") throw unsupported(`redirection ${all}`);
      return { kind: "read", target: this.#target(all) };
    }
    const fd = fdText === "" || fdText === "1" ? 1 : fdText === "2" ? 2 : null;
    if (fd === null) throw unsupported(`redirection ${all}`);
    if (operator !== ">&") return { kind: operator === ">>" ? "append" : "write", fd, target: this.#target(all) };
    const from = this.#peek();
    if (from !== "1" && from !== "2") throw unsupported(`redirection ${all}${from}`);
    this.#at++;
    return { kind: "duplicate", fd, from: from === "1" ? 1 : 2 };
  }

  #target(operator: string): Word {
    this.#skip(false);
    const word = this.#word();
    if (word === null) throw malformed(`a file name is needed after "${operator}"`);
    return word;
  }

  #word(): Word | null {
    this.#skip(false);
    const read = readWord(this.#source, this.#at, (script) => parseScript(script, this.#depth + 1));
    if (read === null) return null;
    this.#at = read.end;
    return read.word;
  }

  #takeWord(word: string): boolean {
    this.#skip(false);
    if (!this.#sees(word)) return false;
    this.#at += word.length;
    return true;
  }

  #expect(word: string): void {
    this.#skip(true);
    if (!this.#takeWord(word)) {
      throw malformed(this.#atEnd() ? `unexpected end of script, "${word}" is missing` : `"${word}" is missing`);
    }
  }

  /** Whether a reserved word stands here, whole. */
  #sees(word: string): boolean {
    if (!this.#source.startsWith(word, this.#at)) return false;
    if (word === "(" || word === ")") return true;
    const after = this.#source.charAt(this.#at + word.length);
    return after === "" || " \t\n;&|()<>".includes(after);
  }

  /** Blanks, continued lines and comments; with `lines` also line breaks. */
  #skip(lines: boolean): void {
    for (;;) {
      const here = this.#peek();
      if (here === " " || here === "\t" || (lines && here === "\n")) this.#at++;
      else if (here === "\\" && this.#peek(1) === "\n") this.#at += 2;
      else if (here === "#" && (this.#at === 0 || " \t\n;&|()".includes(this.#source.charAt(this.#at - 1)))) {
        const end = this.#source.indexOf("\n", this.#at);
        this.#at = end === -1 ? this.#source.length : end;
      } else return;
    }
  }

  #peek(offset = 0): string {
    return this.#source.charAt(this.#at + offset);
  }

  #atEnd(): boolean {
    return this.#at >= this.#source.length;
  }

  #unexpected(): never {
    const rest = this.#source.slice(this.#at, this.#at + 20).split("\n")[0] ?? "";
    throw malformed(this.#atEnd() ? "unexpected end of script" : `unexpected "${rest === "" ? "line break" : rest}"`);
  }
}
