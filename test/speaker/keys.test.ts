import { describe, expect, it } from "vitest";
import { utf8 } from "#core/sha256";
import { keyId } from "#speaker/heartbeat";
import { initialKeys, OLD_KEY_MS, readingKey, renewKeys, writingKey } from "#speaker/keys";

const [OLD, NEW, NEWER] = [utf8("old"), utf8("new"), utf8("newer")];

describe("the keys of heartbeats", () => {
  const before = initialKeys([OLD], 0);
  const changed = renewKeys(before, [NEW], 1000);

  it("are read, old and new, for ten minutes after a change, and not a moment longer", () => {
    for (const key of [OLD, NEW]) expect(readingKey(changed, keyId(key), 1000 + OLD_KEY_MS - 1)).toBe(key);
    expect(readingKey(changed, keyId(OLD), 1000 + OLD_KEY_MS)).toBeUndefined();
    expect(readingKey(changed, keyId(NEW), 1000 + OLD_KEY_MS)).toBe(NEW);
    expect(renewKeys(changed, [NEW], 1000 + OLD_KEY_MS).keys.map(({ key }) => key)).toEqual([NEW]);
  });

  it("are written as the recipient reads them, whoever saw the change first", () => {
    expect(writingKey(changed, keyId(OLD), 0).key).toBe(OLD);
    expect(writingKey(changed, keyId(NEW), 0).key).toBe(NEW);
    expect(writingKey(before, keyId(NEW), 0).key).toBe(OLD);
    expect(writingKey(changed, keyId(NEWER), 0).key).toBe(NEW);
  });

  it("are tried in turn for one that never said which it has", () => {
    expect([0, 1, 2].map((turn) => writingKey(changed, undefined, turn).key)).toEqual([NEW, OLD, NEW]);
  });

  it("stay as they are when the Secret is gone, or says the same again", () => {
    expect(renewKeys(before, [], 5)).toBe(before);
    expect(renewKeys(before, [OLD], 5)).toBe(before);
  });

  it("may be changed again within the time, and back", () => {
    const again = renewKeys(changed, [NEWER], 2000);
    expect(again.keys.map(({ key }) => key)).toEqual([NEWER, NEW, OLD]);
    const back = renewKeys(again, [OLD], 3000);
    expect(back.keys.map(({ key, until }) => [key, until])).toEqual([
      [OLD, null],
      [NEWER, 3000 + OLD_KEY_MS],
      [NEW, 2000 + OLD_KEY_MS],
    ]);
  });

  it("are four at most", () => {
    let ring = before;
    for (let n = 0; n < 20; n++) ring = renewKeys(ring, [utf8(`key ${n}`)], n);
    expect(ring.keys).toHaveLength(4);
    expect(ring.keys[0].key).toEqual(utf8("key 19"));
  });

  it("of a speaker that starts meanwhile are both that the Secret holds", () => {
    const ring = initialKeys([NEW, OLD], 0);
    expect(readingKey(ring, keyId(OLD), 1)).toBe(OLD);
    expect(readingKey(ring, keyId(OLD), OLD_KEY_MS)).toBeUndefined();
  });

  it("of a speaker without a Secret are none: unsigned is read, and nothing else", () => {
    const none = initialKeys([], 0);
    expect(readingKey(none, 0, 1)).toBeNull();
    expect(readingKey(none, keyId(OLD), 1)).toBeUndefined();
    expect(readingKey(before, 0, 1)).toBeUndefined();
  });
});
