import type { ConversationKey } from "../data/record.ts";
import type { UnitOfWork } from "../engine/unit-of-work.ts";
import { InternalJobs } from "../jobs/internal-jobs.ts";
import type { JobDefinitions } from "../jobs/job-definitions.ts";
import type { ConversationTimeouts, NewTimeout, TimeoutData } from "./conversation-timeouts.ts";

/** A handler that fails is not called again; the second attempt ends the conversation without it. */
const RETRY = { attempts: 2, backoff: 0 };

/** The timeouts of conversations as jobs. They have the turns of the conversation's chat and user. */
export class TimeoutJobs implements ConversationTimeouts {
  readonly #jobs: InternalJobs<TimeoutData>;

  /** `run` ends the conversation, at a second attempt without its handlers. `keyOf` says which record it is; `undefined` where its code is gone. */
  constructor(
    definitions: JobDefinitions,
    run: (unit: UnitOfWork, data: TimeoutData, attempt: number) => Promise<void>,
    keyOf: (data: TimeoutData) => ConversationKey | undefined,
  ) {
    this.#jobs = new InternalJobs<TimeoutData>(
      definitions,
      "conversation-timeout",
      ({ unit, job, attempt }) => run(unit, job.data, attempt),
      {
        retry: RETRY,
        // An update owns the conversation first, then its timeout.
        party: (data) => {
          const key = keyOf(data);
          return { chatId: data.last?.chat, userId: data.last?.user, keys: key === undefined ? [] : [key] };
        },
      },
    );
  }

  put(unit: UnitOfWork, { at, ...data }: NewTimeout): Promise<void> {
    const { chat, user } = data.parties;
    return this.#jobs.put(unit, data.job, { at, data, chatId: chat, userId: user });
  }

  remove(unit: UnitOfWork, job: string): Promise<void> {
    return this.#jobs.remove(unit, job);
  }
}
