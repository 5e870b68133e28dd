import { PerdureError } from "../errors.ts";

/**
 * The right to run, and to own records. Each key has a queue; who stands first in it has the key. A unit of work enters
 * the queues of its chat and its user together when it arrives, and further ones when it touches further records.
 *
 * Entering together, in order of arrival, cannot make a cycle. Entering later can; so it is looked for each time.
 */
export class Turns {
  readonly #last = new Map<string, Place>();
  #taken = 0;

  /** Enters the queues of these keys now. */
  take(keys: readonly string[]): Turn {
    this.#taken += 1;
    return new Turn(this.#last, keys, this.#taken);
  }

  /**
   * Moves everybody who waits for `from` to the queue of `to`, to the place that the order of arrival gives them; whoever
   * stands there already keeps that place. Who is first in both queues, the caller, stays so.
   */
  move(from: string, to: string): void {
    const waiting: Place[] = [];
    for (let place = this.#last.get(from); place?.ahead !== undefined; place = place.ahead) waiting.push(place);
    for (const place of waiting) place.turn.change(from, to);
  }

  /** How many keys somebody has or waits for. */
  get size(): number {
    return this.#last.size;
  }
}

/** A turn in one queue. */
interface Place {
  key: string;
  readonly turn: Turn;
  ahead: Place | undefined;
  behind: Place | undefined;
  /** There once somebody waits for this place to be the first. */
  granted?: PromiseWithResolvers<void>;
}

/** One unit's places in the queues. */
export class Turn {
  readonly #last: Map<string, Place>;
  readonly #places = new Map<string, Place>();

  /** Its number in order of arrival. */
  readonly arrival: number;

  constructor(last: Map<string, Place>, keys: readonly string[], arrival: number) {
    this.#last = last;
    this.arrival = arrival;
    for (const key of keys) if (!this.#places.has(key)) this.#enter(key);
  }

  /** Resolves when every key that this turn has entered for is its own; `undefined` when they are already. */
  wait(): Promise<unknown> | undefined {
    const waiting = [...this.#places.values()].filter((place) => place.ahead !== undefined);
    return waiting.length === 0 ? undefined : Promise.all(waiting.map(granted));
  }

  /**
   * Owns one more key until `release`. Returns `undefined` when it is free or owned already, else a promise for it.
   * Throws `PERDURE_DEADLOCK` when waiting would never end, because one of those ahead waits for this turn.
   */
  own(key: string): Promise<void> | undefined {
    const old = this.#places.get(key);
    const place = old ?? this.#enter(key);
    if (place.ahead === undefined) return undefined;
    // Only a new wait can close a cycle.
    if (old === undefined && this.#closesCycle(place.ahead)) {
      this.#leave(place);
      throw new PerdureError(
        "PERDURE_DEADLOCK",
        `Two units of work wait for each other: this one wants ${key}, whose owner waits for what this one owns. ` +
          "This one was rolled back. Touch records in the same order everywhere, for instance the bot's data last.",
      );
    }
    return granted(place);
  }

  /** Waits for `to` in the place of `from`, where the arrival of this turn puts it, but never first. */
  change(from: string, to: string): void {
    const place = this.#places.get(from);
    if (place === undefined) return;
    this.#places.delete(from);
    this.#unlink(place);
    if (this.#places.has(to)) return place.granted?.resolve();
    place.key = to;
    this.#places.set(to, place);
    this.#link(place);
  }

  /** Gives everything up; who still waits for one of its keys waits no longer. Called again, it does nothing. */
  release(): void {
    for (const place of this.#places.values()) this.#leave(place);
  }

  #enter(key: string): Place {
    const ahead = this.#last.get(key);
    const place: Place = { key, turn: this, ahead, behind: undefined };
    if (ahead !== undefined) ahead.behind = place;
    this.#last.set(key, place);
    this.#places.set(key, place);
    return place;
  }

  #leave(place: Place): void {
    this.#places.delete(place.key);
    place.granted?.resolve();
    this.#unlink(place);
  }

  #unlink({ key, ahead, behind }: Place): void {
    if (ahead !== undefined) ahead.behind = behind;
    if (behind !== undefined) behind.ahead = ahead;
    else if (ahead !== undefined) this.#last.set(key, ahead);
    else this.#last.delete(key);
    if (ahead === undefined) behind?.granted?.resolve();
  }

  /** Puts a place behind all that came earlier, and behind the first. */
  #link(place: Place): void {
    let ahead = this.#last.get(place.key);
    while (ahead?.ahead !== undefined && ahead.turn.arrival > this.arrival) ahead = ahead.ahead;
    const behind = ahead?.behind;
    place.ahead = ahead;
    place.behind = behind;
    if (ahead !== undefined) ahead.behind = place;
    if (behind === undefined) this.#last.set(place.key, place);
    else behind.ahead = place;
  }

  /** Whether who stands here cannot go on before this turn does. Who is ahead waits in turn for those further ahead. */
  #closesCycle(ahead: Place): boolean {
    const seen = new Set<Turn>([ahead.turn]);
    for (const turn of seen) {
      if (turn === this) return true;
      for (const place of turn.#places.values()) if (place.ahead !== undefined) seen.add(place.ahead.turn);
    }
    return false;
  }
}

/** Resolves when the place is the first, or given up. */
function granted(place: Place): Promise<void> {
  place.granted ??= Promise.withResolvers();
  return place.granted.promise;
}
