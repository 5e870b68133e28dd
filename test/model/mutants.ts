import type { Update } from "@grammyjs/types";
import { Engine } from "../../src/engine/engine.ts";
import { KeptValue } from "../../src/engine/kept-value.ts";
import { Turn, Turns } from "../../src/engine/turns.ts";
import { UnitOfWork } from "../../src/engine/unit-of-work.ts";
import { isPerdureError } from "../../src/errors.ts";
import type { RecordChange, RecordKind, TimedKind } from "../../src/data/record.ts";
import type {
  Acceptance,
  AtomicPersistence,
  EarliestOptions,
  InboxEntry,
  OpenUpdatesOptions,
  TimedRecord,
  UnitCommit,
} from "../../src/persistence/atomic-persistence.ts";
import { FailingPersistence } from "../support/failing-persistence.ts";

/** A fault put into the library on purpose, that histories have to find. */
export interface Mutant {
  readonly name: string;
  /** Where the search begins, for what would take long to find. Anywhere else it is found too. */
  readonly seed?: number;
  /** Put between the engine and its persistence. */
  readonly mutate?: (persistence: AtomicPersistence) => AtomicPersistence;
  /** Changes the engine; what it answers takes that back. */
  readonly spoil?: () => () => void;
}

type Units = readonly UnitCommit[];

const withoutDone = (units: Units): UnitCommit[] => units.map(({ changes, alias }) => ({ changes, alias }));
const withoutState = (units: Units): UnitCommit[] =>
  units.map(({ done, setAside }) => ({ changes: [], done, setAside }));

class NoDoneMark extends FailingPersistence {
  override commit(units: Units): Promise<void> {
    return super.commit(withoutDone(units));
  }
}

class DoneBeforeState extends FailingPersistence {
  override async commit(units: Units): Promise<void> {
    await super.commit(withoutState(units));
    await super.commit(withoutDone(units));
  }
}

class StateBeforeDone extends FailingPersistence {
  override async commit(units: Units): Promise<void> {
    await super.commit(withoutDone(units));
    await super.commit(withoutState(units));
  }
}

class AcknowledgeFirst extends FailingPersistence {
  override async accept(updates: readonly Update[]): Promise<readonly Acceptance[]> {
    const guess = updates.map((): Acceptance => "accepted");
    const soon = new Promise<readonly Acceptance[]>((resolve) => setImmediate(() => resolve(guess)));
    return Promise.race([super.accept(updates).catch(() => guess), soon]);
  }
}

class DuplicatesForgotten extends FailingPersistence {
  override async accept(updates: readonly Update[]): Promise<readonly Acceptance[]> {
    const acceptances = await super.accept(updates);
    return acceptances.map((acceptance) => (acceptance === "done" ? "accepted" : acceptance));
  }
}

class ReplayReversed extends FailingPersistence {
  override async openUpdates(options: OpenUpdatesOptions): Promise<readonly InboxEntry[]> {
    const page = await super.openUpdates(options);
    return page.toReversed().map((entry, index) => ({ ...entry, arrival: page[index]?.arrival ?? entry.arrival }));
  }
}

class AttemptsNotCounted extends FailingPersistence {
  override async noteAttempts(): Promise<boolean> {
    return true;
  }
}

class AliasNotKept extends FailingPersistence {
  override commit(units: Units): Promise<void> {
    return super.commit(units.map(({ changes, done, setAside }) => ({ changes, done, setAside })));
  }
}

class LastOfGroupLost extends FailingPersistence {
  override commit(units: Units): Promise<void> {
    return super.commit(units.length > 1 ? units.slice(0, -1) : units);
  }
}

class FailureIgnored extends FailingPersistence {
  override async commit(units: Units): Promise<void> {
    await super.commit(units).catch(() => {});
  }
}

class RemovalsLost extends FailingPersistence {
  override commit(units: Units): Promise<void> {
    return super.commit(
      units.map((unit) => ({ ...unit, changes: unit.changes.filter(({ record }) => record !== undefined) })),
    );
  }
}

class RemovalsLater extends FailingPersistence {
  override async commit(units: Units): Promise<void> {
    const isRemoval = ({ record }: RecordChange): boolean => record === undefined;
    await super.commit(
      units.map((unit) => ({ ...unit, changes: unit.changes.filter((change) => !isRemoval(change)) })),
    );
    await super.commit(units.map(({ changes }) => ({ changes: changes.filter(isRemoval) })));
  }
}

/** Commits records of one kind by themselves, before the rest or after it. */
class Apart extends FailingPersistence {
  readonly #kind: RecordKind;
  readonly #when: "before" | "after";

  constructor(inner: AtomicPersistence, kind: RecordKind, when: "before" | "after") {
    super(inner);
    this.#kind = kind;
    this.#when = when;
  }

  override async commit(units: Units): Promise<void> {
    const isOfKind = ({ key }: RecordChange): boolean => key.kind === this.#kind;
    const apart = units.map(({ changes }) => ({ changes: changes.filter(isOfKind) }));
    const others = units.map((unit) => ({ ...unit, changes: unit.changes.filter((change) => !isOfKind(change)) }));
    for (const part of this.#when === "before" ? [apart, others] : [others, apart]) await super.commit(part);
  }
}

class TimeoutsLost extends FailingPersistence {
  override commit(units: Units): Promise<void> {
    const isKept = ({ key }: RecordChange): boolean => key.kind !== "job" || !key.id.startsWith("perdure:");
    return super.commit(units.map((unit) => ({ ...unit, changes: unit.changes.filter(isKept) })));
  }
}

class JobRemovalsLost extends FailingPersistence {
  override commit(units: Units): Promise<void> {
    const isKept = (change: RecordChange): boolean => !isOfJob(change) || change.record !== undefined;
    return super.commit(units.map((unit) => ({ ...unit, changes: unit.changes.filter(isKept) })));
  }
}

class JobFailuresLost extends FailingPersistence {
  override commit(units: Units): Promise<void> {
    const isKept = (change: RecordChange): boolean =>
      !isOfJob(change) || change.record?.text.includes("failure") !== true;
    return super.commit(units.map((unit) => ({ ...unit, changes: unit.changes.filter(isKept) })));
  }
}

/** Finds only what becomes due once it was looked for. */
class DowntimeForgotten extends FailingPersistence {
  #since: number | undefined;

  override async earliest(kind: TimedKind, options: EarliestOptions): Promise<readonly TimedRecord[]> {
    const since = (this.#since ??= options.until);
    const found = await super.earliest(kind, options);
    return found.filter(({ record }) => record.time > since);
  }
}

function isOfJob({ key }: RecordChange): boolean {
  return key.kind === "job";
}

/** Puts another method in the place of one. What it answers takes that back. */
function replace<T extends object, K extends keyof T>(of: T, name: K, make: (method: T[K]) => T[K]): () => void {
  const method = of[name];
  of[name] = make(method);
  return () => void (of[name] = method);
}

/** Units of work run as if they had nothing in common. */
const noTurns = (): (() => void) =>
  replace(Turns.prototype, "take", (take) => {
    return function (this: Turns) {
      return take.call(this, []);
    };
  });

/** An entry is nobody's. */
const entriesNotOwned = (): (() => void) =>
  replace(Turn.prototype, "own", (own) => {
    return function (this: Turn, key) {
      return key.startsWith("entry:") ? undefined : own.call(this, key);
    };
  });

/** Whoever closes a cycle of waits waits. */
const cyclesNotFound = (): (() => void) =>
  replace(Turn.prototype, "own", (own) => {
    return function (this: Turn, key) {
      try {
        return own.call(this, key);
      } catch (error) {
        if (!isPerdureError(error, "PERDURE_DEADLOCK")) throw error;
        return new Promise(() => {});
      }
    };
  });

/** What comes after a drop in the same unit of work is dropped too. */
const dropsAtTheEnd = (): (() => void) =>
  replace(KeptValue.prototype, "drop", (drop) => {
    return function (this: KeptValue) {
      drop.call(this);
      this.change = () => (this.loaded === undefined ? undefined : { key: this.key, record: undefined });
    };
  });

/** The chat is dropped in one unit of work, the user in another. */
const forgettingInTwo = (): (() => void) =>
  replace(Engine.prototype, "forgetUser", () => {
    return async function (this: Engine, id) {
      await this.drop("chat", id);
      await this.drop("user", id);
    };
  });

/** A listing in a unit of work is of the last commit. */
const ownEntriesNotListed = (): (() => void) => replace(UnitOfWork.prototype, "known", () => () => undefined);

/** A job runs without the turns of its chat and its user. */
const jobsWithoutTurns = (): (() => void) =>
  replace(Engine.prototype, "run", (run) => {
    return function (this: Engine, task, work) {
      return run.call(this, { ...task, chatId: undefined, userId: undefined }, work as never) as never;
    };
  });

let underneath: AtomicPersistence | undefined;

/** What is written about a job is kept at once, whatever becomes of the unit of work. */
const jobsAtOnce = (): (() => void) =>
  replace(KeptValue.prototype, "set", (set) => {
    return function (this: KeptValue, value) {
      set.call(this, value);
      if (this.key.kind !== "job") return;
      queueMicrotask(() => {
        const change = this.change();
        if (change !== undefined) void Promise.resolve(underneath?.commit([{ changes: [change] }])).catch(() => {});
      });
    };
  });

/** Every one of these must be found. */
export const MUTANTS: readonly Mutant[] = [
  { name: "no done mark", mutate: (inner) => new NoDoneMark(inner) },
  { name: "done mark in a commit of its own before the state", mutate: (inner) => new DoneBeforeState(inner) },
  { name: "state before done in two commits", mutate: (inner) => new StateBeforeDone(inner) },
  { name: "acknowledging before accepting durably", seed: 132, mutate: (inner) => new AcknowledgeFirst(inner) },
  { name: "accept forgets duplicates", mutate: (inner) => new DuplicatesForgotten(inner) },
  { name: "replay order reversed", seed: 5, mutate: (inner) => new ReplayReversed(inner) },
  { name: "attempts not counted", mutate: (inner) => new AttemptsNotCounted(inner) },
  { name: "alias not kept", mutate: (inner) => new AliasNotKept(inner) },
  { name: "a commit of a group loses its last unit", mutate: (inner) => new LastOfGroupLost(inner) },
  { name: "a failed commit is reported as done", mutate: (inner) => new FailureIgnored(inner) },
  { name: "another chat's turn is not waited for", spoil: noTurns },
  { name: "drops are not in the commit", mutate: (inner) => new RemovalsLost(inner) },
  { name: "drops in a commit of their own after the rest", mutate: (inner) => new RemovalsLater(inner) },
  { name: "what is written after a drop is dropped too", seed: 55, spoil: dropsAtTheEnd },
  { name: "a user is forgotten in two units of work", spoil: forgettingInTwo },
  { name: "entries are not owned", seed: 13, spoil: entriesNotOwned },
  { name: "cycles of waits are not found", seed: 85, spoil: cyclesNotFound },
  { name: "jobs in a commit of their own after the rest", mutate: (inner) => new Apart(inner, "job", "after") },
  { name: "jobs in a commit of their own before the rest", mutate: (inner) => new Apart(inner, "job", "before") },
  { name: "the removal of a job is not in the commit", mutate: (inner) => new JobRemovalsLost(inner) },
  { name: "that a run has failed is not noted", mutate: (inner) => new JobFailuresLost(inner) },
  { name: "jobs that were due during a downtime are not found", mutate: (inner) => new DowntimeForgotten(inner) },
  { name: "jobs do not take turns", spoil: jobsWithoutTurns },
  { name: "a job is scheduled although it is rolled back", mutate: (inner) => (underneath = inner), spoil: jobsAtOnce },
  { name: "conversations in a commit of their own", mutate: (inner) => new Apart(inner, "conversation", "after") },
  { name: "timeouts are not in the commit", mutate: (inner) => new TimeoutsLost(inner) },
  { name: "a handler's own entries are not listed", spoil: ownEntriesNotListed },
];
