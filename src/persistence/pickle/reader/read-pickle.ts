import { PickleDataError } from "../pickle-data-error.ts";
import { OPCODES } from "./opcodes.ts";
import { PickleSource } from "./pickle-source.ts";
import { PickleStack } from "./pickle-stack.ts";

const STOP = 0x2e;

/**
 * Reads a pickle of any protocol from 0 to 5, and gives the description of the value: see docs/pickle.md. Classes and functions are names,
 * objects are what the pickle says of them; nothing is called. Bytes after the end are ignored, as Python does.
 *
 * Takes time and memory in proportion to the bytes, however they are nested, and throws a {@link PickleDataError} for those that are no pickle.
 */
export function readPickle(bytes: Buffer): unknown {
  const source = new PickleSource(bytes);
  const stack = new PickleStack();
  for (let code = source.opcode(); code !== STOP; code = source.opcode()) {
    if (code === undefined) throw endOfInput(bytes.length);
    const operation = OPCODES[code];
    if (operation === undefined) throw new PickleDataError("no pickle", `invalid load key, ${shown(code)}`);
    operation(stack, source);
  }
  return stack.pop();
}

function endOfInput(length: number): PickleDataError {
  return length === 0
    ? new PickleDataError("not understood", "Ran out of input: the file is empty")
    : new PickleDataError("no pickle", "pickle data was truncated");
}

function shown(code: number): string {
  return code > 0x20 && code < 0x7f ? `'${String.fromCharCode(code)}'` : `0x${code.toString(16).padStart(2, "0")}`;
}
