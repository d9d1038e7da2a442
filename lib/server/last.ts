/**
 * Remembers the last answer and gives it again while the inputs are the very
 * same objects. Caches hand out one array until it changes, so that a view is
 * made anew only where something did.
 */
export function last<Inputs extends readonly unknown[], Answer>(
  make: (...inputs: Inputs) => Answer,
): (...inputs: Inputs) => Answer {
  let held: { readonly inputs: Inputs; readonly answer: Answer } | undefined;
  return (...inputs) => {
    if (held === undefined || inputs.some((input, index) => input !== held?.inputs[index])) {
      held = { inputs, answer: make(...inputs) };
    }
    return held.answer;
  };
}

/** As `last`, for a small answer that seldom changes: one that says the same is the very same. */
export function lastAlike<Input, Answer>(make: (input: Input) => Answer): (input: Input) => Answer {
  let held: { readonly text: string; readonly answer: Answer } | undefined;
  return last((input: Input) => {
    const answer = make(input);
    const text = JSON.stringify(answer);
    if (held?.text !== text) held = { text, answer };
    return held.answer;
  });
}
