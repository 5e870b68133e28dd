import type { User } from "@grammyjs/types";
import type { BotAccount } from "../world/bot-account.ts";
import { DrivenClock } from "../world/clock.ts";
import { setBlocked } from "../world/membership.ts";
import { describeRoom, editAs, pressAs, sendAs } from "../world/people.ts";
import { deliverRaw } from "../world/raw-updates.ts";
import type { World } from "../world/world.ts";
import type { Command, ControlCommands, EmulatedBot, NewUser, Place, Timeout } from "./commands.ts";
import { groupHandlers, type GroupCommand } from "./groups.ts";
import { requireBot, requireRoom, requireWebhook } from "./places.ts";
import { transcriptText } from "./transcript-text.ts";
import { waitFor } from "./wait.ts";

type Handlers = {
  readonly [C in Command]: (
    args: ControlCommands[C]["args"],
    signal: AbortSignal,
  ) => ControlCommands[C]["result"] | Promise<ControlCommands[C]["result"]>;
};

/** How many entries of the transcript an error shows. */
const TAIL = 12;

/** The outside world: what people do, what goes wrong, and what is to be seen of it. Arguments and results are JSON. */
export class Control {
  readonly #world: World;
  readonly #handlers: Handlers;

  constructor(world: World) {
    this.#world = world;
    this.#handlers = { ...groupHandlers(world), ...this.#otherHandlers };
  }

  has(command: string): command is Command {
    return Object.hasOwn(this.#handlers, command);
  }

  /** `signal` ends a command that waits. */
  async call<C extends Command>(
    command: C,
    args: ControlCommands[C]["args"],
    signal: AbortSignal,
  ): Promise<ControlCommands[C]["result"]> {
    return this.#handlers[command](args, signal);
  }

  readonly #otherHandlers: Omit<Handlers, GroupCommand> = {
    createBot: (bot) => describeBot(this.#world.addBot(bot)),
    createUser: (user) => this.#createUser(user),
    user: ({ id }) => this.#world.requirePerson(id).user,
    send: ({ user, content, replyTo, ...place }) => {
      const room = requireRoom(this.#world, place);
      return sendAs(this.#world, this.#world.requirePerson(user), room, content, replyTo);
    },
    edit: ({ user, message, text, ...place }) => {
      const room = requireRoom(this.#world, place);
      return editAs(this.#world, this.#world.requirePerson(user), room, message, text);
    },
    press: ({ user, message, choice, ...place }) => {
      const room = requireRoom(this.#world, place);
      return { id: pressAs(this.#world, this.#world.requirePerson(user), room, message, choice) };
    },
    pressAnswer: ({ id, timeout }, signal) => {
      const missing = this.#missing(() => "no answer to the callback query");
      return waitFor((done) => this.#world.callbackQueries.whenAnswered(id, done), { timeout, signal, missing });
    },
    block: ({ user, bot, isBlocked }) =>
      setBlocked(this.#world, this.#world.requirePerson(user), requireBot(this.#world, bot), isBlocked),
    nextReply: (place, signal) => this.#next("replies", place, signal),
    nextEdit: (place, signal) => this.#next("edits", place, signal),
    messages: (place) => requireRoom(this.#world, place).messages(),
    sendUpdate: ({ bot, update }) => deliverRaw(this.#world, requireBot(this.#world, bot), update)?.update_id ?? null,
    pending: ({ bot }) => requireBot(this.#world, bot).queue.pending(),
    untilConfirmed: ({ bot, timeout }, signal) => {
      const { queue, user } = requireBot(this.#world, bot);
      const missing = this.#missing(() => `${queue.size} updates of @${user.username} were not confirmed`);
      return waitFor<void>((done) => queue.whenEmpty(done), { timeout, signal, missing });
    },
    untilPolling: ({ bot, timeout }, signal) => {
      const account = requireBot(this.#world, bot);
      const missing = this.#missing(() => `@${account.user.username} did not wait for updates`);
      return waitFor<void>((done) => account.whenPolling(done), { timeout, signal, missing });
    },
    untilRetrying: (args, signal) => this.#untilRetrying(args, signal),
    retryNow: (args, signal) => this.#retryNow(args, signal),
    advance: ({ milliseconds }) => {
      const { clock } = this.#world;
      if (!(clock instanceof DrivenClock)) {
        throw new Error('the clock is not driven: start the emulator with { clock: "driven" }');
      }
      clock.advance(milliseconds);
    },
    deliveries: ({ bot }) => [...requireBot(this.#world, bot).queue.deliveries()],
    restartUpdateIds: ({ bot, to }) =>
      requireBot(this.#world, bot).queue.restartIds(to ?? this.#world.randomUpdateId()),
    transcript: ({ bot, ...filter }) => {
      const username = bot === undefined ? undefined : requireBot(this.#world, bot).user.username;
      return this.#world.transcript.entries({ ...filter, bot: username });
    },
    fault: (fault) => ({ id: this.#world.faults.add(fault).id }),
    faultHit: ({ id, timeout }, signal) => {
      const rule = this.#world.faults.find(id);
      if (rule === undefined) throw new Error(`there is no fault ${id} any more`);
      const missing = this.#missing(() => `no call was hit by the fault "${rule.fault.kind}"`);
      return waitFor<void>((done) => rule.whenHit(done), { timeout, signal, missing });
    },
    removeFault: ({ id }) => this.#world.faults.remove(id),
    clearFaults: () => this.#world.faults.clear(),
    unreachable: ({ isUnreachable }) => this.#world.faults.setUnreachable(isUnreachable),
  };

  #createUser({ firstName, lastName, username, languageCode, isPremium, id, bot }: NewUser): User {
    const account = bot === undefined ? undefined : requireBot(this.#world, bot);
    const person = this.#world.addPerson({
      id: id ?? this.#world.newId(),
      is_bot: false,
      first_name: firstName,
      ...(lastName !== undefined && { last_name: lastName }),
      ...(username !== undefined && { username }),
      ...(languageCode !== undefined && { language_code: languageCode }),
      ...(isPremium === true && { is_premium: true }),
    });
    if (account !== undefined) this.#world.privateRoom(account, person);
    return person.user;
  }

  #next(
    inbox: "replies" | "edits",
    { timeout, ...place }: Place & { timeout?: number | undefined },
    signal: AbortSignal,
  ) {
    const room = requireRoom(this.#world, place);
    const what = inbox === "replies" ? "no new message of a bot" : "no edit by a bot";
    const missing = this.#missing(() => `${what} in ${describeRoom(room)}`);
    return waitFor<ReturnType<typeof room.messages>[number]>((done) => room[inbox].next(done), {
      timeout,
      signal,
      missing,
    });
  }

  #untilRetrying({ bot, timeout }: { bot: string } & Timeout, signal: AbortSignal): Promise<void> {
    const webhook = requireWebhook(this.#world, bot);
    const missing = this.#missing(() => `no update waited for another attempt at ${webhook.settings.url}`);
    return waitFor<void>((done) => webhook.whenRetrying(done), { timeout, signal, missing });
  }

  /** An attempt that is under way may fail, or confirm the last update, so that there is nothing to try again. */
  async #retryNow({ bot, timeout }: { bot: string } & Timeout, signal: AbortSignal): Promise<void> {
    const webhook = requireWebhook(this.#world, bot);
    const { queue } = requireBot(this.#world, bot);
    const missing = this.#missing(() => `an attempt at ${webhook.settings.url} neither failed nor succeeded`);
    const subscribe = (done: () => void): (() => void) => {
      const cancels = [webhook.whenRetrying(done), queue.whenEmpty(done)];
      return () => cancels.forEach((cancel) => cancel());
    };
    await waitFor<void>(subscribe, { timeout, signal, missing });
    webhook.retryNow();
  }

  /** Says what is missing, and what happened instead. */
  #missing(what: () => string): (timeout: number) => string {
    return (timeout) =>
      `${what()} within ${timeout} ms. What happened last:\n${transcriptText(this.#world.transcript.tail(TAIL)) || "nothing"}`;
  }
}

function describeBot({ user, token }: BotAccount): EmulatedBot {
  return { id: user.id, token, username: user.username };
}
