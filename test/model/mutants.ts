import type { Update } from "@grammyjs/types";
import { Turns } from "../../src/engine/turns.ts";
import type {
  Acceptance,
  AtomicPersistence,
  InboxEntry,
  OpenUpdatesOptions,
  UnitCommit,
} from "../../src/persistence/atomic-persistence.ts";
import { FailingPersistence } from "../support/failing-persistence.ts";

/** A fault put into the library on purpose, that histories have to find. */
export interface Mutant {
  readonly name: string;
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

/** Units of work run as if they had nothing in common. */
function noTurns(): () => void {
  // oxlint-disable-next-line typescript/unbound-method -- it is called with its own object
  const { take } = Turns.prototype;
  Turns.prototype.take = function (this: Turns) {
    return take.call(this, []);
  };
  return () => void (Turns.prototype.take = take);
}

/** Every one of these must be found. */
export const MUTANTS: readonly Mutant[] = [
  { name: "no done mark", mutate: (inner) => new NoDoneMark(inner) },
  { name: "done mark in a commit of its own before the state", mutate: (inner) => new DoneBeforeState(inner) },
  { name: "state before done in two commits", mutate: (inner) => new StateBeforeDone(inner) },
  { name: "acknowledging before accepting durably", mutate: (inner) => new AcknowledgeFirst(inner) },
  { name: "accept forgets duplicates", mutate: (inner) => new DuplicatesForgotten(inner) },
  { name: "replay order reversed", mutate: (inner) => new ReplayReversed(inner) },
  { name: "attempts not counted", mutate: (inner) => new AttemptsNotCounted(inner) },
  { name: "alias not kept", mutate: (inner) => new AliasNotKept(inner) },
  { name: "a commit of a group loses its last unit", mutate: (inner) => new LastOfGroupLost(inner) },
  { name: "a failed commit is reported as done", mutate: (inner) => new FailureIgnored(inner) },
  { name: "another chat's turn is not waited for", spoil: noTurns },
];
