import type { L2Facts } from "./election.ts";
import type { Finding } from "./findings.ts";
import { type Selector, selectorProblem, selectorProblems } from "./selector.ts";

/**
 * Turns advertisement objects, earliest created first, into those in force: an
 * invalid one keeps its version of `previous`, and without one is left out.
 * Speakers, controller and dashboard all go through here, or they would explain different elections.
 */
export function compileAdvertisements(
  inputs: readonly L2Facts[],
  previous: readonly L2Facts[] = [],
): { readonly advertisements: readonly L2Facts[]; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const advertisements: L2Facts[] = [];
  for (const input of inputs) {
    const problems = advertisementProblems(input);
    findings.push(...problems);
    const usable = problems.length === 0 ? input : previous.find(({ name }) => name === input.name);
    if (usable !== undefined) advertisements.push(usable);
  }
  return { advertisements, findings };
}

/** What makes an advertisement invalid by itself (metallb.md 4.1); unknown pools do not. */
export function advertisementProblems(facts: L2Facts): readonly Finding[] {
  const findings: Finding[] = [];
  const add = (field: string, message: string, fix: string) =>
    findings.push({ severity: "error", kind: "advertisement", object: facts.name, field, message, fix });
  for (const [index, name] of facts.pools.entries()) {
    if (facts.pools.indexOf(name) === index) continue;
    add(`spec.ipAddressPools.${index}`, `pool ${name} is listed twice`, "list every pool once");
  }
  const lists: Readonly<Record<string, readonly Selector[]>> = {
    ipAddressPoolSelectors: facts.poolSelectors,
    nodeSelectors: facts.nodeSelectors,
    serviceSelectors: facts.serviceSelectors,
  };
  for (const [field, selectors] of Object.entries(lists)) {
    for (const [index, problem] of selectorProblems(selectors)) {
      add(`spec.${field}.${index}`, problem, "correct the selector");
    }
  }
  for (const [index, { preference }] of facts.preferred.entries()) {
    const problem = selectorProblem(preference);
    if (problem !== null) add(`spec.preferredNodeSelectors.${index}.preference`, problem, "correct the selector");
  }
  return findings;
}
