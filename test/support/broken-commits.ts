import type { KeyOf, RecordKind } from "../../src/data/record.ts";
import { isPerdureError } from "../../src/errors.ts";
import type {
  Abilities,
  ChatAlias,
  KeysOptions,
  OpenOptions,
  UnitCommit,
} from "../../src/persistence/atomic-persistence.ts";
import { broken, type Broken } from "./broken.ts";
import { RemotePersistence } from "./remote-persistence.ts";
import type { RemoteServer } from "./remote-server.ts";

class MarksDoneApart extends RemotePersistence {
  override async commit(units: readonly UnitCommit[]): Promise<void> {
    const marks = units.map(({ done, setAside }): UnitCommit => ({ changes: [], done, setAside }));
    const changes = units.map((unit): UnitCommit => ({ ...unit, done: undefined, setAside: undefined }));
    await Promise.all([super.commit(changes), super.commit(marks)]);
  }
}

class ShowsHalfABatch extends RemotePersistence {
  override async commit(units: readonly UnitCommit[]): Promise<void> {
    if (units.length === 0) return super.commit(units);
    await Promise.all(units.map((unit) => super.commit([unit])));
  }
}

class LosesTheLastCommitAtClose extends RemotePersistence {
  override async commit(units: readonly UnitCommit[]): Promise<void> {
    await super.read([]);
    void super.commit(units).catch(() => {});
  }
}

class SwapsTheOrder extends RemotePersistence {
  protected override inOrder<T>(write: () => Promise<T>): Promise<T> {
    return write();
  }
}

class ReportsAFailedCommitAsDone extends RemotePersistence {
  override async commit(units: readonly UnitCommit[]): Promise<void> {
    await super.commit(units).catch((error) => {
      if (isPerdureError(error)) throw error;
    });
  }
}

class LeavesHalfOfAFailedCommit extends RemotePersistence {
  #half: readonly UnitCommit[] = [];

  override async commit(units: readonly UnitCommit[]): Promise<void> {
    try {
      await super.commit(units);
    } catch (error) {
      this.#half = units.slice(0, 1).map(({ changes }) => ({ changes }));
      throw error;
    }
  }

  override async keys<Kind extends RecordKind>(
    kind: Kind,
    options: KeysOptions<Kind>,
  ): Promise<readonly KeyOf<Kind>[]> {
    await super.commit(this.#half).catch(() => {});
    return super.keys(kind, options);
  }
}

class LetsTheFirstUnitStand extends RemotePersistence {
  override commit(units: readonly UnitCommit[]): Promise<void> {
    return super.commit([...units].reverse());
  }
}

class KeepsAliasesInMemory extends RemotePersistence {
  readonly #aliases = new Map<number, number>();

  override async commit(units: readonly UnitCommit[]): Promise<void> {
    await super.commit(units);
    for (const { alias } of units) if (alias) this.#aliases.set(alias.from, alias.to);
  }

  override async chatAliases(): Promise<readonly ChatAlias[]> {
    await super.chatAliases();
    return [...this.#aliases].map(([from, to]) => ({ from, to }));
  }
}

class CommitsEachForItself extends RemotePersistence {
  override exclusively<T>(work: () => Promise<T>): Promise<T> {
    return super.read([]).then(work);
  }
}

class GoesOnAfterClose extends RemotePersistence {
  override async close(): Promise<void> {}
}

class OpensTwice extends RemotePersistence {
  #isOpen = false;

  override async open(options: OpenOptions): Promise<void> {
    if (!this.#isOpen) await super.open(options);
    this.#isOpen = true;
  }
}

class ClosesItsSuccessor extends RemotePersistence {
  readonly #of: RemoteServer;

  constructor(server: RemoteServer) {
    super(server);
    this.#of = server;
  }

  override async close(): Promise<void> {
    await super.close();
    const before = open.get(this.#of);
    open.delete(this.#of);
    if (before !== undefined && before !== this) await before.close();
  }

  override async open(options: OpenOptions): Promise<void> {
    await super.open(options);
    open.set(this.#of, this);
  }
}

const open = new WeakMap<RemoteServer, RemotePersistence>();

class DeclaresTooMuch extends RemotePersistence {
  override readonly abilities: Abilities = { atomic: true, durable: "disk", shared: true, lazy: false };
}

const NOT_SHARED: Abilities = { atomic: true, durable: "disk", shared: false, lazy: true };

class LetsASecondOneIn extends RemotePersistence {
  override readonly abilities: Abilities = NOT_SHARED;
}

/** Asynchronous backends with one fault each, in commits, and opening and closing. */
export const BROKEN_COMMITS: readonly Broken[] = [
  broken(MarksDoneApart, [
    "killed at any moment: all of an operation or none, changes and done mark of one moment",
    "killed while several commits are under way: the first of them, in order of the calls, each with its done mark",
  ]),
  broken(ShowsHalfABatch, ["commit: a reader at any time sees all of it or none, never half a batch"]),
  broken(LosesTheLastCommitAtClose, [
    "what was committed last is there after a close at once",
    "killed after any operation: what was acknowledged is there",
  ]),
  broken(SwapsTheOrder, ["commit: in order of the calls, also when called without awaiting the first"]),
  broken(ReportsAFailedCommitAsDone, [
    "a failed commit is not reported as done, leaves nothing or all, and has the effect of one when called again",
  ]),
  broken(LeavesHalfOfAFailedCommit, [
    "a failed commit is not reported as done, leaves nothing or all, and has the effect of one when called again",
  ]),
  broken(LetsTheFirstUnitStand, ["commit: where two units change one record, the later one stands"]),
  broken(KeepsAliasesInMemory, ["aliases: a chat's new id is listed, the newest one of a chat, over a reopening"]),
  broken(CommitsEachForItself, [
    "exclusively: nothing of a work that rejects is kept, and all goes on",
    "exclusively: a process that is killed in the work leaves nothing of it",
    "exclusively: another reader sees nothing of a work before its end, where it is shared",
  ]),
  broken(GoesOnAfterClose, ["after close everything but close is refused with PERDURE_CLOSED"]),
  broken(OpensTwice, ["open called twice is refused, and what is open goes on"]),
  broken(ClosesItsSuccessor, ["close called twice does nothing the second time"]),
  broken(DeclaresTooMuch, [
    "a class is what it says: it has the methods of its contract, and the abilities that are expected",
  ]),
  broken(
    LetsASecondOneIn,
    ["a second opening of one place is refused, and the first goes on, where it is not shared"],
    NOT_SHARED,
  ),
];
