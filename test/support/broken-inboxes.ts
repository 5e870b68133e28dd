import type { Update } from "@grammyjs/types";
import { isPerdureError, PerdureError } from "../../src/errors.ts";
import type {
  Acceptance,
  FailedUpdate,
  InboxEntry,
  OpenOptions,
  OpenUpdatesOptions,
} from "../../src/persistence/atomic-persistence.ts";
import type { DoneRange } from "../../src/persistence/done-ranges.ts";
import { broken, type Broken } from "./broken.ts";
import { RemotePersistence } from "./remote-persistence.ts";

class SharesTheInboxOfAllBots extends RemotePersistence {
  override open(options: OpenOptions): Promise<void> {
    return super.open({ ...options, botId: 1 });
  }
}

class AddsAttempts extends RemotePersistence {
  override async noteAttempts(updateId: number, _: number): Promise<boolean> {
    const open = (await super.openUpdates({ limit: 1000 })).find((entry) => entry.updateId === updateId);
    return super.noteAttempts(updateId, (open?.attempts ?? 0) + 1);
  }
}

class SaysThatAnyUpdateIsOpen extends RemotePersistence {
  override async noteAttempts(updateId: number, attempts: number): Promise<boolean> {
    await super.noteAttempts(updateId, attempts);
    return true;
  }
}

class AcceptsTwiceInOneCall extends RemotePersistence {
  override async accept(updates: readonly Update[]): Promise<readonly Acceptance[]> {
    const answers = await super.accept(updates);
    const ids = updates.map(({ update_id }) => update_id);
    return answers.map((_, index) => answers[ids.indexOf(ids[index] as number)] as Acceptance);
  }
}

class LooksBeforeItAccepts extends RemotePersistence {
  override async accept(updates: readonly Update[]): Promise<readonly Acceptance[]> {
    const open = new Set((await super.openUpdates({ limit: 1000 })).map(({ updateId }) => updateId));
    const answers = await super.accept(updates);
    return answers.map((answer, index) => {
      const id = (updates[index] as Update).update_id;
      const isNew = !open.has(id) && answer !== "done";
      open.add(id);
      return isNew ? "accepted" : answer;
    });
  }
}

class TellsDoneByAMark extends RemotePersistence {
  override async accept(updates: readonly Update[]): Promise<readonly Acceptance[]> {
    const highest = Math.max(0, ...(await super.doneUpdates()).map(({ last }) => last));
    const isNew = ({ update_id }: Update): boolean => update_id > highest;
    const answers = await super.accept(updates.filter(isNew));
    return updates.map((update) =>
      isNew(update) ? (answers[updates.filter(isNew).indexOf(update)] as Acceptance) : "done",
    );
  }
}

class OrdersTheInboxById extends RemotePersistence {
  override async openUpdates(options: OpenUpdatesOptions): Promise<readonly InboxEntry[]> {
    return [...(await super.openUpdates(options))].sort((a, b) => a.updateId - b.updateId);
  }
}

/** Whose clock goes faster or slower, so that done marks are forgotten too early or too late. */
abstract class HasAWrongClock extends RemotePersistence {
  protected abstract readonly speed: number;

  override open(options: OpenOptions): Promise<void> {
    return super.open({ ...options, now: () => options.now() * this.speed });
  }
}

class ForgetsDoneUpdatesAfterADay extends HasAWrongClock {
  protected readonly speed = 25 / 24;
}

class NeverForgetsDoneUpdates extends HasAWrongClock {
  protected readonly speed = 0.01;
}

class LosesDoneUpdatesOnTheWay extends RemotePersistence {
  override async doneUpdates(): Promise<readonly DoneRange[]> {
    return (await super.doneUpdates()).slice(1);
  }
}

class ListsSetAsideByTime extends RemotePersistence {
  override async failedUpdates(): Promise<readonly FailedUpdate[]> {
    return [...(await super.failedUpdates())].reverse();
  }
}

class GivesUpTooEarly extends RemotePersistence {
  override async accept(updates: readonly Update[]): Promise<readonly Acceptance[]> {
    return super.accept(updates).catch((cause: unknown) => {
      if (isPerdureError(cause)) throw cause;
      throw new PerdureError("PERDURE_REFUSED", "It did not work.", { cause });
    });
  }
}

/** Asynchronous backends with one fault each, in the inbox, attempts and done marks. */
export const BROKEN_INBOXES: readonly Broken[] = [
  broken(SharesTheInboxOfAllBots, ["another bot's inbox and done marks are neither seen nor touched"]),
  broken(AddsAttempts, ["attempts: they are a number that is noted, not one more, and survive a reopening"]),
  broken(SaysThatAnyUpdateIsOpen, ["attempts: for an update that is not open nothing happens"]),
  broken(AcceptsTwiceInOneCall, ["inbox: an update that stands twice in one call is open the second time"]),
  broken(LooksBeforeItAccepts, [
    "several at once: no commit is lost, and an update is new to one of them only, where it is shared",
  ]),
  broken(TellsDoneByAMark, ["inbox: accept tells what is new, open and done, over a reopening"]),
  broken(OrdersTheInboxById, ["inbox: updates are kept as they came, in order of arrival, until they are done"]),
  broken(ForgetsDoneUpdatesAfterADay, ["done marks: an update is known as done for 25 hours, over a reopening"]),
  broken(NeverForgetsDoneUpdates, [
    "done marks: after a week an id may come anew, also when the ids in between were done in a row",
  ]),
  broken(LosesDoneUpdatesOnTheWay, [
    "done marks: doneUpdates gives them all, and another place that is given them knows them as long",
  ]),
  broken(ListsSetAsideByTime, ["set aside: out of the inbox, done, and listed with its attempts and the time"]),
  broken(GivesUpTooEarly, [
    "a failed accept is not reported as done, leaves nothing or all, and has the effect of one when called again",
  ]),
];
