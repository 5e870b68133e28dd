import type { Defined } from "./job-definition.ts";

/** What the jobs of one application may be: each definition by its name. */
export class JobDefinitions {
  readonly #byName = new Map<string, Defined>();
  readonly #listeners = new Set<() => void>();

  /** Throws a `TypeError` for a name that is taken. */
  add(definition: Defined): void {
    const { name } = definition;
    if (this.#byName.has(name)) throw new TypeError(`The job "${name}" is defined already. Define each name once.`);
    this.#byName.set(name, definition);
    for (const listener of this.#listeners) listener();
  }

  get(name: string): Defined | undefined {
    return this.#byName.get(name);
  }

  /** Calls whenever a definition is added. What is returned takes it back. */
  onAdded(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
