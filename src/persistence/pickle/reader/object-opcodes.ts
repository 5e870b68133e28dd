import { PythonGlobal } from "../../../data/python/python-global.ts";
import { PythonObject } from "../../../data/python/python-object.ts";
import { PythonTuple } from "../../../data/python/python-tuple.ts";
import { PickleDataError } from "../pickle-data-error.ts";
import { describedCall, namedByCall } from "./known-calls.ts";
import type { Operation } from "./operation.ts";
import type { PickleSource } from "./pickle-source.ts";
import type { PickleStack } from "./pickle-stack.ts";
import { python3Name } from "./python2-names.ts";
import { utf8Line } from "./text-literals.ts";

/** Opcodes that name classes and functions, and make objects of them. Nothing is looked up, and nothing called. */
export const objectOpcodes: readonly (readonly [string, Operation])[] = [
  ["c", (stack, source) => stack.push(globalOf(source))],
  ["\x93", (stack) => stack.push(stackGlobal(stack))],
  ["R", (stack) => stack.push(call(stack))],
  ["i", (stack, source) => instance(stack, globalOf(source), stack.popToMark())],
  ["o", (stack) => instanceOfFirst(stack)],
  ["\x81", (stack) => stack.push(newObject(stack, undefined))],
  ["\x92", (stack) => stack.push(newObject(stack, stack.pop()))],
  ["b", (stack) => build(stack)],
];

function globalOf(source: PickleSource): PythonGlobal {
  const module = utf8Line(source.line());
  const name = utf8Line(source.line());
  return new PythonGlobal(...(source.protocol < 3 ? python3Name(module, name) : ([module, name] as const)));
}

function stackGlobal(stack: PickleStack): PythonGlobal {
  const name = stack.pop();
  const module = stack.pop();
  if (typeof module === "string" && typeof name === "string") return new PythonGlobal(module, name);
  throw new PickleDataError("no pickle", "STACK_GLOBAL requires str");
}

function call(stack: PickleStack): unknown {
  const args = tupleOn(stack);
  return describedCall(stack.pop(), args);
}

function instance(stack: PickleStack, type: unknown, args: readonly unknown[]): void {
  stack.push(describedCall(type, args));
}

function instanceOfFirst(stack: PickleStack): void {
  const [type, ...args] = stack.popToMark();
  instance(stack, type, args);
}

function newObject(stack: PickleStack, kwargs: unknown): PythonObject {
  const args = tupleOn(stack);
  const from = namedByCall(stack.pop());
  if (!(from instanceof PythonGlobal) && !(from instanceof PythonObject))
    throw new PickleDataError("not understood", "an object is made of what is no class");
  if (kwargs !== undefined && !(kwargs instanceof Map))
    throw new PickleDataError("not understood", "named arguments are no dict");
  return new PythonObject({ from, args, kwargs });
}

function tupleOn(stack: PickleStack): readonly unknown[] {
  const args = stack.pop();
  if (args instanceof PythonTuple) return args.items;
  throw new PickleDataError("not understood", "arguments are no tuple");
}

function build(stack: PickleStack): void {
  const state = stack.pop();
  const object = stack.top();
  if (!(object instanceof PythonObject) || object.state !== undefined)
    throw new PickleDataError("not understood", "a state is given to what takes none");
  object.state = state;
}
