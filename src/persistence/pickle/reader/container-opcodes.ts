import { PythonFrozenset } from "../../../data/python/python-frozenset.ts";
import { PythonGlobal } from "../../../data/python/python-global.ts";
import { PythonObject } from "../../../data/python/python-object.ts";
import { PythonTuple } from "../../../data/python/python-tuple.ts";
import { PickleDataError } from "../pickle-data-error.ts";
import type { Operation } from "./operation.ts";
import type { PickleStack } from "./pickle-stack.ts";

/** Opcodes that make lists, tuples, dicts and sets, and put something into them. */
export const containerOpcodes: readonly (readonly [string, Operation])[] = [
  ["]", (stack) => stack.push([])],
  ["l", (stack) => stack.push(stack.popToMark())],
  ["a", (stack) => append(stack, [stack.pop()])],
  ["e", (stack) => append(stack, stack.popToMark())],
  [")", (stack) => stack.push(new PythonTuple([]))],
  ["t", (stack) => stack.push(new PythonTuple(stack.popToMark()))],
  ["\x85", (stack) => pushTuple(stack, 1)],
  ["\x86", (stack) => pushTuple(stack, 2)],
  ["\x87", (stack) => pushTuple(stack, 3)],
  ["}", (stack) => stack.push(new Map())],
  ["d", (stack) => stack.push(withItems(new Map(), stack.popToMark()))],
  ["s", (stack) => setItem(stack)],
  ["u", (stack) => setItems(stack, stack.popToMark())],
  ["\x8f", (stack) => stack.push(new Set())],
  ["\x90", (stack) => add(stack, stack.popToMark())],
  ["\x91", (stack) => stack.push(new PythonFrozenset(stack.popToMark()))],
  ["\x96", (stack, source) => stack.push(byteArray(source.bytes(source.length64())))],
];

function pushTuple(stack: PickleStack, length: number): void {
  const items = Array.from<unknown>({ length });
  while (length > 0) items[--length] = stack.pop();
  stack.push(new PythonTuple(items));
}

function append(stack: PickleStack, items: readonly unknown[]): void {
  const container = stack.top();
  const list = container instanceof PythonObject ? container.items : container;
  if (!Array.isArray(list)) throw cannotTake("items of a list");
  for (const item of items) list.push(item);
}

function setItem(stack: PickleStack): void {
  const value = stack.pop();
  const key = stack.pop();
  setItems(stack, [key, value]);
}

function setItems(stack: PickleStack, items: readonly unknown[]): void {
  const container = stack.top();
  const dict = container instanceof PythonObject ? container.entries : container;
  if (!(dict instanceof Map)) throw cannotTake("items of a dict");
  withItems(dict, items);
}

function withItems(dict: Map<unknown, unknown>, items: readonly unknown[]): Map<unknown, unknown> {
  if (items.length % 2 === 1) throw new PickleDataError("no pickle", "odd number of items for a dict");
  for (let at = 0; at < items.length; at += 2) dict.set(items[at], items[at + 1]);
  return dict;
}

function add(stack: PickleStack, items: readonly unknown[]): void {
  const set = stack.top();
  if (!(set instanceof Set)) throw cannotTake("members of a set");
  for (const item of items) set.add(item);
}

const BYTEARRAY = new PythonGlobal("builtins", "bytearray");

function byteArray(bytes: Uint8Array): PythonObject {
  return new PythonObject({ from: BYTEARRAY, called: true, args: [bytes] });
}

function cannotTake(what: string): PickleDataError {
  return new PickleDataError("not understood", `${what} are put into what is none`);
}
