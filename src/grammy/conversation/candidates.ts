import { Composer, type Context } from "grammy";
import type { Answer, Call, Candidate, Occasion } from "../../conversation/candidate.ts";
import { PerdureError } from "../../errors.ts";
import type { Handler } from "./handler.ts";

/** A handler: `check` says whether it takes an update. */
class HandlerCandidate<C extends Context> implements Candidate<C> {
  readonly #handler: Handler<C, unknown>;

  constructor(handler: Handler<C, unknown>) {
    this.#handler = handler;
  }

  async take({ ctx }: Occasion<C>, call: Call): Promise<Answer | undefined> {
    const handler = this.#handler;
    const match = await handler.check(ctx);
    if (match === undefined || match === null || match === false) return undefined;
    const answer = await call(() => handler.callback(ctx, match as never), handler.block);
    return { ...answer, by: handler.callback.name || "callback" };
  }
}

/** A composer: it takes an update that it does not hand on. That is known only afterwards, so it always has its turn. */
class ComposerCandidate<C extends Context> implements Candidate<C> {
  readonly #composer: Composer<C>;

  constructor(composer: Composer<C>) {
    this.#composer = composer;
  }

  async take({ ctx }: Occasion<C>, call: Call): Promise<Answer | undefined> {
    let isHandedOn = false;
    // Asked anew each time, as `bot.use` does: handlers may be added to it later.
    const run = this.#composer.middleware();
    await call(() => run(ctx, async () => void (isHandedOn = true)), true);
    return isHandedOn ? undefined : { value: undefined, isLate: false, by: "composer" };
  }
}

/** The candidate for what a user has put in a list. Throws `PERDURE_INVALID_OPTION` for what is none; `place` says where it stands. */
export function candidateFor<C extends Context>(handler: unknown, place: string): Candidate<C> {
  if (handler instanceof Composer) return new ComposerCandidate(handler as Composer<C>);
  if (isHandler<C>(handler)) return new HandlerCandidate(handler);
  throw new PerdureError(
    "PERDURE_INVALID_OPTION",
    `${place} is no handler. Give what command(...), on(...) and the like return, an object with check and callback, a Composer, or a conversation.`,
  );
}

function isHandler<C extends Context>(value: unknown): value is Handler<C, unknown> {
  const { check, callback } = (value ?? {}) as Partial<Record<"check" | "callback", unknown>>;
  return typeof check === "function" && typeof callback === "function";
}
