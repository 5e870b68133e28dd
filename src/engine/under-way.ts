/** A place among what is under way. It is empty once that has ended. */
export interface Ticket<T> {
  item: T | undefined;
}

/**
 * What is under way, in order of arrival.
 *
 * It is a Set of tickets, and not of the items. A table of a Set or a Map that has become too small, or too empty, refers to the one after it. Where much
 * comes and goes, V8 keeps all of them until its next full collection, with what was in each at its end: with the items in them, every update would be kept so
 * long, and all that it refers to.
 */
export class UnderWay<T extends object> {
  readonly #tickets = new Set<Ticket<T>>();

  get size(): number {
    return this.#tickets.size;
  }

  add(item: T): Ticket<T> {
    const ticket: Ticket<T> = { item };
    this.#tickets.add(ticket);
    return ticket;
  }

  /** Called again, it does nothing. */
  remove(ticket: Ticket<T>): void {
    ticket.item = undefined;
    this.#tickets.delete(ticket);
  }

  *[Symbol.iterator](): Generator<T> {
    for (const { item } of this.#tickets) if (item !== undefined) yield item;
  }
}
