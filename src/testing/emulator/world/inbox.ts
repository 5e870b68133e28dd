/** Takes one item, or is cancelled. */
type Reader<T> = (item: T) => void;

/** A first in, first out line of items that are each read once, now or when they come. */
export class Inbox<T> {
  #items: T[] = [];
  #head = 0;
  #readers: Reader<T>[] = [];

  push(item: T): void {
    const reader = this.#readers.shift();
    if (reader === undefined) this.#items.push(item);
    else reader(item);
  }

  /** Calls `reader` with the next unread item, at once if there is one. Returns how to give up. */
  next(reader: Reader<T>): () => void {
    if (this.#head < this.#items.length) {
      reader(this.#shift());
      return () => {};
    }
    this.#readers.push(reader);
    return () => {
      this.#readers = this.#readers.filter((other) => other !== reader);
    };
  }

  #shift(): T {
    const item = this.#items[this.#head] as T;
    this.#head += 1;
    if (this.#head === this.#items.length || (this.#head >= 1024 && this.#head * 2 >= this.#items.length)) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
