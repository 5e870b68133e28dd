import type { Task, TransactionKeys } from "../../../src/engine/assignments.ts";
import { Engine, type EngineOptions, type Note } from "../../../src/engine/engine.ts";
import type { UnitOfWork } from "../../../src/engine/unit-of-work.ts";

/** Runs what a call does in a unit of work of its own. */
export type Around = <T>(unit: UnitOfWork, work: () => Promise<T>) => Promise<T>;

/** What a task notes goes through this. */
export type AroundNote = (unit: UnitOfWork, note: Note) => Note;

/** Hears of a task, and runs it with something around its unit of work and what it notes. */
export type OnTask = <T>(task: Task, run: (around: Around, aroundNote: AroundNote) => Promise<T>) => Promise<T>;

/** The real engine, which tells of the units of work that are no update's: of calls outside of handlers, and of jobs. */
export class TellingEngine extends Engine {
  readonly #onTask: OnTask;
  #around: Around | undefined;

  constructor(options: EngineOptions, onTask: OnTask) {
    super(options);
    this.#onTask = onTask;
  }

  override run<T>(task: Task, work: (unit: UnitOfWork, note: Note) => Promise<T>): Promise<T> {
    return this.#onTask(task, (around, aroundNote) =>
      super.run(task, (unit, note) => around(unit, () => work(unit, aroundNote(unit, note)))),
    );
  }

  /** Makes a call, around whose unit of work `around` stands. */
  async tell<T>(around: Around, make: () => Promise<T>): Promise<T> {
    this.#around = around;
    try {
      return await make();
    } finally {
      this.#around = undefined;
    }
  }

  override join<T>(name: string, keys: TransactionKeys, work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    const around = this.#around;
    this.#around = undefined;
    if (around === undefined || this.isInUnit) return super.join(name, keys, work);
    return super.join(name, keys, (unit) => around(unit, () => work(unit)));
  }
}
