import { describe, expect, it } from "vitest";
import { chiSquareP, halfWidth95, jainExpected, upperGamma, verdict } from "#core/fairness";
import { expectedShares, type ShareEndpoint, type ShareQuestion } from "#core/share";

const endpoint = (pod: string, node: string, over: Partial<ShareEndpoint> = {}): ShareEndpoint => ({
  pod,
  node,
  ready: true,
  serving: true,
  terminating: false,
  ...over,
});
const endpoints = [endpoint("a", "node-01"), endpoint("b", "node-02"), endpoint("c", "node-02")];
const ask = (over: Partial<ShareQuestion> = {}): ShareQuestion => ({
  policyLocal: false,
  sessionAffinity: false,
  announcingNode: "node-02",
  endpoints,
  ...over,
});
const leaving = { ready: false, terminating: true };

const rows: readonly { name: string; question: ShareQuestion; shares: number[]; model: string }[] = [
  {
    name: "Cluster spreads over all ready pods",
    question: ask(),
    shares: [1 / 3, 1 / 3, 1 / 3],
    model: "Expecting 33.3 % each: L2, policy Cluster, 3 ready pods",
  },
  {
    name: "Local stays on the announcing node",
    question: ask({ policyLocal: true }),
    shares: [0, 0.5, 0.5],
    model: "Expecting 50 % each: L2, policy Local, 2 ready pods on node-02",
  },
  {
    name: "Local without a pod there gets nothing",
    question: ask({ policyLocal: true, announcingNode: "node-03" }),
    shares: [0, 0, 0],
    model: "Expecting no replies: L2, policy Local, no ready pod on node-03",
  },
  {
    name: "Local knows nothing while nobody announces",
    question: ask({ policyLocal: true, announcingNode: null }),
    shares: [],
    model: "No expectation: L2, policy Local, and no node announces the address",
  },
  {
    name: "affinity keeps one client with one pod",
    question: ask({ sessionAffinity: true }),
    shares: [],
    model: "Expecting one pod to answer everything: L2, policy Cluster, session affinity ClientIP, 3 ready pods",
  },
  {
    name: "pods that leave get nothing new",
    question: ask({ endpoints: [endpoint("a", "n"), endpoint("b", "n", leaving)] }),
    shares: [1, 0],
    model: "Expecting 100 % from one pod: L2, policy Cluster, 1 ready pod",
  },
  {
    name: "pods that leave but serve are used when there is no other",
    question: ask({ endpoints: [endpoint("a", "n", leaving), endpoint("b", "n", { ready: false, serving: false })] }),
    shares: [1, 0],
    model: "Expecting 100 % from one pod: L2, policy Cluster, 1 terminating pod",
  },
];

describe("expectedShares", () => {
  it.each(rows)("$name", ({ question, shares, model }) => {
    const answer = expectedShares(question);
    expect(answer.shares.map(({ share }) => share)).toEqual(shares);
    expect(answer.model).toBe(model);
  });
});

const third = (...counts: number[]) => counts.map((count, index) => ({ pod: `pod-${index}`, count, expected: 1 / 3 }));

describe("verdict", () => {
  it("collects until every pod can be expected to have five, and says how many are missing", () => {
    expect(verdict(third(5, 5, 4))).toMatchObject({
      kind: "collecting",
      sentence: "Collecting (needs 1 more)",
      p: null,
    });
    expect(verdict(third(5, 5, 5)).kind).not.toBe("collecting");
  });

  it("calls chance even", () => {
    expect(verdict(third(95, 110, 95))).toMatchObject({
      kind: "even",
      sentence: "Even, within chance (300 requests, p = 0.47)",
    });
  });

  it("calls a clear bias uneven and names the worst pod", () => {
    const answer = verdict(third(160, 70, 70));
    expect(answer).toMatchObject({ kind: "uneven" });
    expect(answer.sentence).toBe("Uneven (300 requests, p < 0.001): pod-0 got 53.3 % where 33.3 % is expected");
  });

  it("wants two windows to agree before it cries wolf", () => {
    const odd = third(125, 90, 85);
    expect(verdict(odd).p).toBeLessThan(0.01);
    expect(verdict(odd).kind).toBe("even");
    expect(verdict(odd, third(100, 100, 100)).kind).toBe("even");
    expect(verdict(odd, third(125, 90, 85)).kind).toBe("uneven");
  });

  it("tells round robin from chance", () => {
    expect(verdict(third(1000, 1000, 1000))).toMatchObject({ kind: "too_even", jain: 1 });
  });

  it("points at replies from pods that should get none", () => {
    const counts = [
      { pod: "a", count: 90, expected: 1 },
      { pod: "b", count: 10, expected: 0 },
    ];
    expect(verdict(counts)).toMatchObject({ kind: "uneven", sentence: expect.stringContaining("10 answered by pods") });
  });

  it("has nothing to test with one pod or none", () => {
    expect(verdict([{ pod: "a", count: 50, expected: 1 }])).toMatchObject({ kind: "even", p: null });
    expect(verdict([])).toMatchObject({ kind: "collecting", p: null, jain: null });
  });
});

describe("the numbers behind it", () => {
  it.each([
    // scipy.special.gammaincc
    [0.5, 0.5, 0.31731050786291415],
    [1, 2, 0.1353352832366127],
    [2.5, 10, 0.0012497305630313],
    [1, 0.0001, 0.9999000049998333],
    [50, 40, 0.9297],
  ])("Q(%f, %f) is %f", (a, x, want) => expect(upperGamma(a, x)).toBeCloseTo(want, want === 0.9297 ? 3 : 10));

  it("finds the textbook p-values of chi-square", () => {
    // 95th percentile for 2 degrees of freedom is 5.991.
    const rows = third(100 + 24.473, 100 - 12.2365, 100 - 12.2365);
    expect(chiSquareP(rows, 300)).toBeCloseTo(Math.exp(-(24.473 ** 2 + 2 * 12.2365 ** 2) / 200), 6);
  });

  it("reproduces the half widths and Jain means of ux.md 3.4", () => {
    expect([30, 100, 300, 1000].map((n) => Number((halfWidth95(1 / 3, n) * 100).toFixed(1)))).toEqual([
      16.9, 9.2, 5.3, 2.9,
    ]);
    expect([30, 100, 300].map((n) => Number((halfWidth95(0.1, n) * 100).toFixed(1)))).toEqual([10.7, 5.9, 3.4]);
    expect(jainExpected(10, 30)).toBeCloseTo(0.77, 2);
  });
});
