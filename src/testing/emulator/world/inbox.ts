import { Fifo } from "./fifo.ts";

/** Takes one item, or is cancelled. */
type Reader<T> = (item: T) => void;

/** A first in, first out line of items that are each read once, now or when they come. */
export class Inbox<T> {
  readonly #items = new Fifo<T>();
  #readers: Reader<T>[] = [];

  push(item: T): void {
    const reader = this.#readers.shift();
    if (reader === undefined) this.#items.push(item);
    else reader(item);
  }

  /** Calls `reader` with the next unread item, at once if there is one. Returns how to give up. */
  next(reader: Reader<T>): () => void {
    if (this.#items.size > 0) {
      reader(this.#items.shift() as T);
      return () => {};
    }
    this.#readers.push(reader);
    return () => {
      this.#readers = this.#readers.filter((other) => other !== reader);
    };
  }
}
