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

  /**
   * Enters the queues of these keys now. With `parent`, the turn of a unit of work that runs and waits for this one: then it goes before all
   * that have not begun. Throws `PERDURE_DEADLOCK` when waiting for them would never end.
   */
  take(keys: readonly string[], parent?: Turn): Turn {
    this.#taken += 1;
    return new Turn(this.#last, keys, this.#taken, parent);
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
  granted?: Granted;
}

/** What `Promise.withResolvers` makes; its own type is not known to programs for older libraries of TypeScript. */
interface Granted {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

/** One unit's places in the queues. */
export class Turn {
  readonly #last: Map<string, Place>;
  readonly #places = new Map<string, Place>();

  readonly #parent: Turn | undefined;
  /** Those that it waits for, whatever they wait for. */
  readonly #children = new Set<Turn>();

  /** Whether it has owned all that it entered for: it runs, and goes before all that do not. */
  #hasBegun = false;

  /** Its number in order of arrival. */
  readonly arrival: number;

  constructor(last: Map<string, Place>, keys: readonly string[], arrival: number, parent?: Turn) {
    this.#last = last;
    this.arrival = arrival;
    this.#parent = parent;
    if (parent !== undefined) this.#enterFor(parent, keys);
    else for (const key of keys) if (!this.#places.has(key)) this.#enter(key);
  }

  /** Whether it has or waits for nothing. */
  get isEmpty(): boolean {
    return this.#places.size === 0;
  }

  /** Resolves when every key that this turn has entered for is its own; `undefined` when they are already. */
  wait(): Promise<unknown> | undefined {
    const waiting: Promise<void>[] = [];
    for (const place of this.#places.values()) if (place.ahead !== undefined) waiting.push(granted(place));
    // Whoever stood first may stand behind one that runs by now.
    if (waiting.length > 0) return Promise.all(waiting).then(() => this.wait());
    this.#hasBegun = true;
    return undefined;
  }

  /**
   * Owns one more key until `release`. Returns `undefined` when it is free or owned already, else a promise for it.
   * Throws `PERDURE_DEADLOCK` when waiting would never end, because one of those ahead waits for this turn.
   */
  own(key: string): Promise<void> | undefined {
    const old = this.#places.get(key);
    const place = old ?? this.#enterLate(key);
    if (place.ahead === undefined) return undefined;
    // Only a new wait can close a cycle.
    if (old === undefined && this.#closesCycle(place.ahead)) {
      this.#leave(place);
      throw deadlock(key);
    }
    return granted(place);
  }

  /** Whether it could own a key without waiting. */
  isFree(key: string): boolean {
    const place = this.#places.get(key);
    return place === undefined ? !this.#last.has(key) : place.ahead === undefined;
  }

  /** Gives up all but these keys. */
  keep(keys: ReadonlySet<string>): void {
    for (const place of this.#places.values()) if (!keys.has(place.key)) this.#leave(place);
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
    if (this.#parent !== undefined) this.#parent.#children.delete(this);
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

  #enterFor(parent: Turn, keys: readonly string[]): void {
    this.#hasBegun = true;
    parent.#children.add(this);
    for (const key of keys) {
      const { ahead } = this.#places.get(key) ?? this.#enterLate(key);
      if (ahead === undefined || !this.#closesCycle(ahead)) continue;
      this.release();
      throw deadlock(key);
    }
  }

  #enterLate(key: string): Place {
    const place: Place = { key, turn: this, ahead: undefined, behind: undefined };
    this.#places.set(key, place);
    this.#link(place);
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

  /** Puts a place behind all whose turns run, and behind all that came earlier if this turn does not. */
  #link(place: Place): void {
    let ahead = this.#last.get(place.key);
    while (ahead !== undefined && !ahead.turn.#hasBegun && (this.#hasBegun || ahead.turn.arrival > this.arrival)) {
      ahead = ahead.ahead;
    }
    const behind = ahead === undefined ? this.#first(place.key) : ahead.behind;
    place.ahead = ahead;
    place.behind = behind;
    if (ahead !== undefined) ahead.behind = place;
    if (behind === undefined) this.#last.set(place.key, place);
    else behind.ahead = place;
    if (ahead !== undefined) return;
    place.granted?.resolve();
    // It was the first until now, and waits anew.
    if (behind !== undefined) delete behind.granted;
  }

  #first(key: string): Place | undefined {
    let first = this.#last.get(key);
    while (first?.ahead !== undefined) first = first.ahead;
    return first;
  }

  /** Whether who stands here cannot go on before this turn does. Who is ahead waits in turn for those further ahead. */
  #closesCycle(ahead: Place): boolean {
    const seen = new Set<Turn>([ahead.turn]);
    for (const turn of seen) {
      if (turn === this) return true;
      for (const place of turn.#places.values()) if (place.ahead !== undefined) seen.add(place.ahead.turn);
      for (const child of turn.#children) seen.add(child);
    }
    return false;
  }
}

function deadlock(key: string): PerdureError {
  return new PerdureError(
    "PERDURE_DEADLOCK",
    `Two units of work wait for each other: this one wants ${key}, whose owner waits for what this one owns. ` +
      "This one was rolled back. Touch records in the same order everywhere, for instance the bot's data last.",
  );
}

/** Resolves when the place is the first, or given up. */
function granted(place: Place): Promise<void> {
  place.granted ??= Promise.withResolvers();
  return place.granted.promise;
}
