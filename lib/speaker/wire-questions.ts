import type { SpeakerState, WireObservation } from "#api/metallb";
import { ANNOTATION } from "#api/names";
import { askWire, parseWhoHas, type WireDeps } from "./who-has.ts";

/** Answers the questions that come as an annotation of this node's SpeakerState: each nonce once, the latest wins. */
export class WireQuestions {
  readonly #deps: WireDeps;
  readonly #onAnswer: () => void;
  #asking = "";
  #answered = "";
  #wire: readonly WireObservation[] = [];

  constructor(deps: WireDeps, onAnswer: () => void) {
    this.#deps = deps;
    this.#onAnswer = onAnswer;
  }

  /** Nonce of the last question that was answered; "" for none. */
  get answered(): string {
    return this.#answered;
  }

  /** What was seen for it. */
  get wire(): readonly WireObservation[] {
    return this.#wire;
  }

  /** Looks at a new state of the object; asks if it holds a new question. */
  look(object: SpeakerState): void {
    const question = parseWhoHas(object.metadata.annotations?.[ANNOTATION.whoHas]);
    if (question === null || question.nonce === this.#asking) return;
    this.#asking = question.nonce;
    if (this.#answered === "" && object.status?.answeredWhoHas === question.nonce) {
      // Answered before this process was restarted.
      this.#settle(question.nonce, object.status.wire ?? []);
      return;
    }
    void askWire(this.#deps, question.addresses).then((wire) => {
      if (this.#asking !== question.nonce) return;
      this.#settle(question.nonce, wire);
      this.#onAnswer();
    });
  }

  #settle(nonce: string, wire: readonly WireObservation[]): void {
    this.#answered = nonce;
    this.#wire = wire;
  }
}
