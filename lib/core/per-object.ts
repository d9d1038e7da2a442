/** One answer per object, for as long as the object lives. For objects that never change, as those of a cache. */
export function perObject<Key extends object, Answer>(make: (key: Key) => Answer): (key: Key) => Answer {
  const answers = new WeakMap<Key, { readonly answer: Answer }>();
  return (key) => {
    let held = answers.get(key);
    if (held === undefined) {
      held = { answer: make(key) };
      answers.set(key, held);
    }
    return held.answer;
  };
}
