import { PythonFrozenset } from "../../../data/python/python-frozenset.ts";
import { PythonGlobal } from "../../../data/python/python-global.ts";
import { PythonObject } from "../../../data/python/python-object.ts";
import { PythonTuple } from "../../../data/python/python-tuple.ts";
import { BOT_IDS, BotReference } from "../python/bot-reference.ts";
import { WholeFloat } from "../python/whole-float.ts";
import { PickleSink } from "./pickle-sink.ts";
import { writeFloat, writeNumber, writeBigint } from "./write-numbers.ts";

/** So many items go into a container by one opcode, as Python's pickler does it. */
const BATCH = 1000;

/** The values in an object, in between of which its opcodes are written. */
type Steps = Generator<unknown, void>;

/**
 * Writes one description. The objects that are open are in a list and not on the call stack: each is a generator that writes its opcodes and
 * yields the values that go between them.
 */
export class PickleWriter {
  readonly #sink = new PickleSink();
  /** The numbers under which values can be had again. Texts and globals are found by what they are, others by identity. */
  readonly #memo = new Map<unknown, number>();
  readonly #globals = new Map<string, PythonGlobal>();
  readonly #open: Steps[] = [];

  write(value: unknown): Buffer {
    this.#sink.opcodes("\x80\x04");
    this.#begin(value);
    for (let steps = this.#open.at(-1); steps !== undefined; steps = this.#open.at(-1)) {
      const { done, value: next } = steps.next();
      if (done === true) this.#open.pop();
      else this.#begin(next);
    }
    this.#sink.opcodes(".");
    return this.#sink.content;
  }

  #begin(value: unknown): void {
    switch (typeof value) {
      case "string":
        return this.#text(value);
      case "number":
        return writeNumber(value, this.#sink);
      case "bigint":
        return writeBigint(value, this.#sink);
      case "boolean":
        return this.#sink.opcodes(value ? "\x88" : "\x89");
      default:
        if (value === null) this.#sink.opcodes("N");
        else this.#object(value as object);
    }
  }

  #object(value: object): void {
    if (this.#again(this.#memoKey(value))) return;
    if (value instanceof WholeFloat) writeFloat(value.value, this.#sink);
    else if (value instanceof Uint8Array) this.#bytes(value);
    else this.#open.push(this.#stepsOf(value));
  }

  #stepsOf(value: object): Steps {
    if (value instanceof Map) return this.#dict(value);
    if (Array.isArray(value)) return this.#list(value);
    if (value instanceof PythonTuple) return this.#tuple(value);
    if (value instanceof PythonObject) return this.#instance(value);
    if (value instanceof PythonGlobal) return this.#global(value);
    if (value instanceof Set) return this.#set(value);
    if (value instanceof PythonFrozenset) return this.#frozenset(value);
    if (value instanceof BotReference) return this.#bot(value);
    throw new TypeError(`A ${value.constructor.name} is no description of a value of Python.`);
  }

  #text(text: string): void {
    if (this.#again(text)) return;
    this.#sink.text(text);
    this.#memoize(text);
  }

  #bytes(bytes: Uint8Array): void {
    this.#sink.lengthAndBytes(bytes, "C", "B");
    this.#memoize(bytes);
  }

  *#dict(dict: ReadonlyMap<unknown, unknown>): Steps {
    this.#sink.opcodes("}");
    this.#memoize(dict);
    yield* this.#setItems(dict);
  }

  *#list(list: readonly unknown[]): Steps {
    this.#sink.opcodes("]");
    this.#memoize(list);
    yield* this.#appends(list);
  }

  *#set(set: ReadonlySet<unknown>): Steps {
    this.#sink.opcodes("\x8f");
    this.#memoize(set);
    yield* this.#batches([...set], "\x90");
  }

  *#frozenset(set: PythonFrozenset): Steps {
    this.#sink.opcodes("(");
    yield* set;
    if (this.#instead("1", set)) return;
    this.#sink.opcodes("\x91");
    this.#memoize(set);
  }

  *#tuple(tuple: PythonTuple): Steps {
    const { length } = tuple.items;
    if (length === 0) return this.#sink.opcodes(")");
    if (length > 3) this.#sink.opcodes("(");
    yield* tuple.items;
    // A list in it may hold the tuple itself, which is complete by now.
    if (this.#instead(length > 3 ? "1" : "0".repeat(length), tuple)) return;
    this.#sink.opcodes(["t", "\x85", "\x86", "\x87"][length] ?? "t");
    this.#memoize(tuple);
  }

  *#instance(object: PythonObject): Steps {
    yield object.from;
    yield new PythonTuple(object.args);
    if (object.called) this.#sink.opcodes("R");
    else if (object.kwargs === undefined) this.#sink.opcodes("\x81");
    else {
      yield object.kwargs;
      this.#sink.opcodes("\x92");
    }
    if (this.#instead("0", object)) return;
    this.#memoize(object);
    yield* this.#appends(object.items);
    yield* this.#setItems(object.entries);
    if (object.state === undefined) return;
    yield object.state;
    this.#sink.opcodes("b");
  }

  *#global(global: PythonGlobal): Steps {
    yield global.module;
    yield global.name;
    this.#sink.opcodes("\x93");
    this.#memoize(this.#memoKey(global));
  }

  *#bot({ bot }: BotReference): Steps {
    yield BOT_IDS[bot];
    this.#sink.opcodes("Q");
  }

  *#appends(items: readonly unknown[]): Steps {
    if (items.length === 1) {
      yield items[0];
      this.#sink.opcodes("a");
    } else {
      yield* this.#batches(items, "e");
    }
  }

  *#setItems(entries: ReadonlyMap<unknown, unknown>): Steps {
    let count = 0;
    for (const [key, value] of entries) {
      if (count % BATCH === 0) this.#sink.opcodes(count === 0 ? "(" : "u(");
      // Most are scalars, for which nobody has to wait.
      if (isObject(key)) yield key;
      else this.#begin(key);
      if (isObject(value)) yield value;
      else this.#begin(value);
      count += 1;
    }
    if (count > 0) this.#sink.opcodes("u");
  }

  *#batches(items: readonly unknown[], close: string): Steps {
    for (let start = 0; start < items.length; start += BATCH) {
      this.#sink.opcodes("(");
      for (const item of items.slice(start, start + BATCH)) {
        if (isObject(item)) yield item;
        else this.#begin(item);
      }
      this.#sink.opcodes(close);
    }
  }

  /** Writes that a value is had again, if it is. */
  #again(key: unknown): boolean {
    const index = this.#memo.get(key);
    if (index === undefined) return false;
    if (index < 0x100) {
      this.#sink.opcodes("h");
      this.#sink.byte(index);
    } else {
      this.#sink.opcodes("j");
      this.#sink.uint32(index);
    }
    return true;
  }

  /** Likewise, for a value that came about while its own parts were written: they are dropped. */
  #instead(drop: string, value: object): boolean {
    if (!this.#memo.has(value)) return false;
    this.#sink.opcodes(drop);
    return this.#again(value);
  }

  /** Globals are the same by their names, everything else by identity. */
  #memoKey(value: object): object {
    if (!(value instanceof PythonGlobal)) return value;
    const name = JSON.stringify([value.module, value.name]);
    const first = this.#globals.get(name) ?? value;
    this.#globals.set(name, first);
    return first;
  }

  #memoize(key: unknown): void {
    this.#memo.set(key, this.#memo.size);
    this.#sink.opcodes("\x94");
  }
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}
