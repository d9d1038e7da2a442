import type { Unanswered } from "#core/responder";
import type { AnswerCounts } from "../port.ts";

/** Adds up the counts of the thread until somebody takes them. */
export class AnswerTotals {
  #answered = new Map<string, number>();
  #dropped = new Map<Unanswered, number>();

  add({ answered, dropped }: AnswerCounts): void {
    for (const [address, count] of answered) this.#answered.set(address, (this.#answered.get(address) ?? 0) + count);
    for (const [reason, count] of dropped) this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + count);
  }

  take(): AnswerCounts {
    const taken = { answered: this.#answered, dropped: this.#dropped };
    this.#answered = new Map();
    this.#dropped = new Map();
    return taken;
  }
}
