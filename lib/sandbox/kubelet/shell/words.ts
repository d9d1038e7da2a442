import { malformed, type Script, unsupported, type Word, type WordPart } from "./syntax.ts";

type ParseScript = (source: string) => Script;
interface Read {
  readonly word: Word;
  /** Offset behind the word. */
  readonly end: number;
}

const ENDS_WORD = " \t\n;&|()<>";

/** Reads the word that begins at `start`; null when none does. */
export function readWord(source: string, start: number, parse: ParseScript): Read | null {
  const reader = new WordReader(source, start, parse);
  return reader.bare();
}

class WordReader {
  readonly #source: string;
  readonly #parse: ParseScript;
  readonly #parts: WordPart[] = [];
  #at: number;
  #text = "";
  #textQuoted = false;

  constructor(source: string, start: number, parse: ParseScript) {
    this.#source = source;
    this.#at = start;
    this.#parse = parse;
  }

  bare(): Read | null {
    const start = this.#at;
    while (this.#at < this.#source.length && !ENDS_WORD.includes(this.#here())) {
      const here = this.#here();
      if (here === "'") this.#single();
      else if (here === '"') this.#double();
      else if (here === "\\") this.#escape();
      else if (here === "$") this.#dollar(false);
      else if (here === "`") this.#backticks(false);
      else this.#add(this.#take(), false);
    }
    this.#flush();
    return this.#at === start ? null : { word: this.#parts, end: this.#at };
  }

  #single(): void {
    const end = this.#source.indexOf("'", this.#at + 1);
    if (end === -1) throw malformed("unterminated quoted string");
    this.#add(this.#source.slice(this.#at + 1, end), true);
    this.#at = end + 1;
  }

  #double(): void {
    this.#at++;
    this.#add("", true);
    for (;;) {
      if (this.#at >= this.#source.length) throw malformed("unterminated quoted string");
      const here = this.#here();
      if (here === '"') break;
      if (here === "$") this.#dollar(true);
      else if (here === "`") this.#backticks(true);
      else if (here === "\\" && '$`"\\\n'.includes(this.#source.charAt(this.#at + 1))) {
        const next = this.#source.charAt(this.#at + 1);
        this.#at += 2;
        if (next !== "\n") this.#add(next, true);
      } else this.#add(this.#take(), true);
    }
    this.#at++;
  }

  #escape(): void {
    const next = this.#source.charAt(this.#at + 1);
    this.#at += 2;
    if (next !== "\n") this.#add(next === "" ? "\\" : next, true);
  }

  #dollar(quoted: boolean): void {
    const rest = this.#source.slice(this.#at + 1, this.#at + 300);
    if (rest.startsWith("((")) throw unsupported("arithmetic ($((…)))");
    if (rest.startsWith("(")) {
      this.#substitution(quoted);
      return;
    }
    if (rest.startsWith("{")) {
      this.#braced(quoted);
      return;
    }
    const name = /^([A-Za-z_][A-Za-z0-9_]*|[0-9?#@*$!-])/.exec(rest)?.[1];
    if (name === undefined) {
      this.#add(this.#take(), quoted);
      return;
    }
    this.#at += 1 + name.length;
    this.#push({ kind: "variable", name, quoted, fallback: null });
  }

  #braced(quoted: boolean): void {
    const match = /^\$\{([A-Za-z_][A-Za-z0-9_]*|[0-9]+|[?#@*$])(:?-|\})/.exec(
      this.#source.slice(this.#at, this.#at + 300),
    );
    if (match === null) throw unsupported(`expansion "${this.#source.slice(this.#at, this.#at + 20)}"`);
    const [all, name = "", operator] = match;
    this.#at += all.length;
    if (operator === "}") {
      this.#push({ kind: "variable", name, quoted, fallback: null });
      return;
    }
    const end = this.#closingBrace();
    const inner = this.#source.slice(this.#at, end);
    const word = new WordReader(`"${inner.replaceAll('"', "")}"`, 0, this.#parse).bare()?.word ?? [];
    this.#at = end + 1;
    this.#push({ kind: "variable", name, quoted, fallback: { word, whenEmpty: operator === ":-" } });
  }

  #closingBrace(): number {
    let open = 1;
    for (let at = this.#at; at < this.#source.length; at++) {
      const here = this.#source.charAt(at);
      if (here === "\\") at++;
      else if (here === "{") open++;
      else if (here === "}" && --open === 0) return at;
    }
    throw malformed('"}" is missing');
  }

  #substitution(quoted: boolean): void {
    const from = this.#at + 2;
    let open = 1;
    let quote = "";
    for (let at = from; at < this.#source.length; at++) {
      const here = this.#source.charAt(at);
      if (here === "\\" && quote !== "'") at++;
      else if (quote !== "") quote = here === quote ? "" : quote;
      else if (here === "'" || here === '"') quote = here;
      else if (here === "(") open++;
      else if (here === ")" && --open === 0) {
        this.#at = at + 1;
        this.#push({ kind: "command", script: this.#parse(this.#source.slice(from, at)), quoted });
        return;
      }
    }
    throw malformed('")" is missing');
  }

  #backticks(quoted: boolean): void {
    const end = this.#source.indexOf("`", this.#at + 1);
    if (end === -1) throw malformed("unterminated `");
    const script = this.#parse(this.#source.slice(this.#at + 1, end));
    this.#at = end + 1;
    this.#push({ kind: "command", script, quoted });
  }

  #here(): string {
    return this.#source.charAt(this.#at);
  }

  #take(): string {
    return this.#source.charAt(this.#at++);
  }

  #add(text: string, quoted: boolean): void {
    if (quoted !== this.#textQuoted) this.#flush();
    this.#textQuoted = quoted;
    this.#text += text;
    // An empty quoted string is still a word ("").
    if (text === "" && quoted) this.#parts.push({ kind: "text", text: "", quoted: true });
  }

  #push(part: WordPart): void {
    this.#flush();
    this.#parts.push(part);
  }

  #flush(): void {
    if (this.#text !== "") this.#parts.push({ kind: "text", text: this.#text, quoted: this.#textQuoted });
    this.#text = "";
  }
}
