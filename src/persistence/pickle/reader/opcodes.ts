import { BOT_IDS, KNOWN_BOT, UNKNOWN_BOT } from "../python/bot-reference.ts";
import { PickleDataError } from "../pickle-data-error.ts";
import { containerOpcodes } from "./container-opcodes.ts";
import { objectOpcodes } from "./object-opcodes.ts";
import type { Operation } from "./operation.ts";
import { scalarOpcodes } from "./scalar-opcodes.ts";

const HIGHEST_PROTOCOL = 5;

/** Opcodes about the reading itself. */
const machineOpcodes: readonly (readonly [string, Operation])[] = [
  ["\x80", (_stack, source) => void (source.protocol = known(source.uint8()))],
  // A frame only says that so many bytes may be read ahead.
  ["\x95", (_stack, source) => source.require(source.length64())],
  ["(", (stack) => stack.mark()],
  ["0", (stack) => stack.drop()],
  ["1", (stack) => void stack.popToMark()],
  ["2", (stack) => stack.push(stack.top())],
  ["p", (stack, source) => stack.put(indexIn(source.line()))],
  ["q", (stack, source) => stack.put(source.uint8())],
  ["r", (stack, source) => stack.put(source.uint32())],
  ["\x94", (stack) => stack.memoize()],
  ["g", (stack, source) => stack.get(indexIn(source.line()))],
  ["h", (stack, source) => stack.get(source.uint8())],
  ["j", (stack, source) => stack.get(source.uint32())],
  ["P", (stack, source) => stack.push(persistent(source.line()))],
  ["Q", (stack) => stack.push(persistent(stack.pop()))],
  ["\x82", extension],
  ["\x83", extension],
  ["\x84", extension],
  ["\x97", outOfBand],
  ["\x98", outOfBand],
];

/** What each opcode does. */
export const OPCODES: readonly (Operation | undefined)[] = table([
  ...machineOpcodes,
  ...scalarOpcodes,
  ...containerOpcodes,
  ...objectOpcodes,
]);

function table(opcodes: readonly (readonly [string, Operation])[]): (Operation | undefined)[] {
  const operations = Array.from<Operation | undefined>({ length: 256 });
  for (const [code, operation] of opcodes) operations[code.charCodeAt(0)] = operation;
  return operations;
}

function known(protocol: number): number {
  if (protocol <= HIGHEST_PROTOCOL) return protocol;
  throw new PickleDataError("not understood", `unsupported pickle protocol: ${protocol}`);
}

function indexIn(line: string): number {
  if (/^\d{1,10}$/.test(line)) return Number(line);
  throw new PickleDataError("not understood", `${JSON.stringify(line.slice(0, 20))} is no index of the memo`);
}

function persistent(id: unknown): unknown {
  if (id === BOT_IDS.known) return KNOWN_BOT;
  if (id === BOT_IDS.unknown) return UNKNOWN_BOT;
  throw new PickleDataError("no pickle", "Found unknown persistent id when unpickling!");
}

function extension(): never {
  throw new PickleDataError("not understood", "it has a class by the number of an extension registry");
}

function outOfBand(): never {
  throw new PickleDataError("no pickle", "the pickle refers to out-of-band data, which it does not have");
}
