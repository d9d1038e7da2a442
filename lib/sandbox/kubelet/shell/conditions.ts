import { stat } from "node:fs/promises";
import type { Call } from "./state.ts";

const NUMBERS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "-eq": (a, b) => a === b,
  "-ne": (a, b) => a !== b,
  "-lt": (a, b) => a < b,
  "-le": (a, b) => a <= b,
  "-gt": (a, b) => a > b,
  "-ge": (a, b) => a >= b,
};

/** `test` with at most three operands and `!`: 0 holds, 1 does not, 2 is not understood. */
export async function evaluateTest(call: Call, args: readonly string[]): Promise<number> {
  if (args[0] === "!" && args.length > 1) {
    const inner = await evaluateTest(call, args.slice(1));
    return inner === 2 ? 2 : 1 - inner;
  }
  const [first = "", second = "", third = ""] = args;
  if (args.length === 0) return 1;
  if (args.length === 1) return first === "" ? 1 : 0;
  if (args.length === 2) return unary(call, first, second);
  if (args.length === 3) {
    if (second === "=" || second === "==") return first === third ? 0 : 1;
    if (second === "!=") return first === third ? 1 : 0;
    const compare = NUMBERS[second];
    const [a, b] = [Number(first), Number(third)];
    if (compare !== undefined && Number.isInteger(a) && Number.isInteger(b)) return compare(a, b) ? 0 : 1;
  }
  await call.io.err(`${call.name}: ${args.join(" ")}: not understood\n`);
  return 2;
}

async function unary(call: Call, operator: string, operand: string): Promise<number> {
  if (operator === "-n") return operand === "" ? 1 : 0;
  if (operator === "-z") return operand === "" ? 0 : 1;
  if (!["-e", "-f", "-d", "-r", "-w", "-x", "-s"].includes(operator)) {
    await call.io.err(`${call.name}: ${operator}: unknown operator\n`);
    return 2;
  }
  const facts = await call.host.fs
    .resolve(operand, call.state.cwd)
    .then(stat)
    .catch(() => null);
  if (facts === null) return 1;
  if (operator === "-f") return facts.isFile() ? 0 : 1;
  if (operator === "-d") return facts.isDirectory() ? 0 : 1;
  if (operator === "-s") return facts.size > 0 ? 0 : 1;
  return 0;
}
