import { describe, expect, onTestFinished, test } from "vitest";
import {
  callbackQuery,
  END,
  hears,
  on,
  SqlitePersistence,
  TIMEOUT,
  type Application,
  type TimeoutContext,
} from "../src/index.ts";
import { conversing, press, type AnyConversation, type Conversing } from "./support/conversing.ts";
import { DrivenClock, settled } from "./support/driven-clock.ts";
import type { MyContext } from "./support/made-app.ts";

const ANN = { chat: -1, user: 7 };
const MINUTE = 60_000;

type Late = TimeoutContext<MyContext>;

interface Timed extends Conversing {
  readonly clock: DrivenClock;
  readonly handler: ReturnType<Application<MyContext>["conversation"]>;
}

/** A conversation that ends after half an hour of silence, and tells. */
async function timed(
  options: (made: Conversing) => Partial<AnyConversation> = () => ({}),
  { clock = new DrivenClock(), path }: { clock?: DrivenClock; path?: string } = {},
): Promise<Timed> {
  const persistence =
    path === undefined ? {} : { persistence: new SqlitePersistence({ path, ownerTimeout: 0, durability: "os" }) };
  const made = conversing({ clock, ...persistence });
  const handler = made.app.conversation<"A" | "B" | -2, never, never>({
    name: "talk",
    persistent: true,
    conversationTimeout: "30m",
    entryPoints: [hears("start", () => "A")],
    states: {
      A: [
        hears("stay", () => {}),
        hears("next", () => "B"),
        hears("fail", () => {
          throw new Error("on purpose");
        }),
      ],
      B: [hears("end", () => END)],
      [TIMEOUT]: [
        on("message:text", (ctx: Late) => {
          made.notes.push(`timeout after ${ctx.msg?.text}`);
          ctx.chatData.log.push("timeout");
          ctx.userData.n += 1;
        }),
        on("callback_query", () => void made.notes.push("never")),
        on("message", () => (made.notes.push("second"), "A")),
      ],
    },
    ...(options(made) as object),
  });
  made.bot.use(handler);
  made.bot.use(() => void made.notes.push("passed"));
  await made.app.jobQueue.start();
  return { ...made, path: path ?? made.path, clock, handler: handler as never };
}

async function log({ app }: Conversing): Promise<unknown> {
  return app.transaction({ chats: [-1], users: [7] }, (tx) => [tx.chatData(-1).log, tx.userData(7).n]);
}

describe("a conversation that nobody goes on with", () => {
  test("of each user holds up nobody's jobs where the chat of its last update hangs", async () => {
    const made = await timed(() => ({ perChat: false }));
    const gate = Promise.withResolvers<void>();
    for (let user = 1; user <= 40; user += 1) await made.say("start", { chat: -5, user });
    const note = made.app.jobQueue.define("note", () => void made.notes.push("job"));
    await made.app.jobQueue.runOnce(note, "31m", { chatId: -6 });
    const hanging = made.app.transaction({ chats: [-5] }, () => gate.promise);
    await made.clock.advance(32 * MINUTE);
    expect(made.notes.slice(-1)).toEqual(["job"]);
    expect(made.notes.filter((text) => text.startsWith("timeout"))).toEqual([]);
    gate.resolve();
    await hanging;
    await settled(1000);
    expect(made.notes.filter((text) => text === "timeout after start")).toHaveLength(40);
  });

  test("149, 151, 153: ends; all matching TIMEOUT handlers run with the last update, their data is kept, what they return is not", async () => {
    const made = await timed();
    for (const text of ["start", "next"]) await made.say(text);
    await made.clock.advance(30 * MINUTE - 1);
    expect(await made.handler.stateOf(ANN)).toBe("B");
    await made.clock.advance(1);
    expect(made.notes).toEqual(["timeout after next", "second"]);
    expect(await made.handler.stateOf(ANN)).toBeUndefined();
    expect(await log(made)).toEqual([["timeout"], 1]);
  });

  test.each([[undefined], [0]])("149: with %j there is no timeout", async (conversationTimeout) => {
    const made = await timed(() => ({ conversationTimeout }));
    await made.say("start");
    await made.clock.advance(1000 * MINUTE);
    expect(await made.handler.stateOf(ANN)).toBe("A");
  });

  test("150: every update that it handles begins the time anew, one that it does not handle does not", async () => {
    const made = await timed();
    await made.say("start");
    await made.clock.advance(20 * MINUTE);
    await made.say("stay");
    await made.clock.advance(20 * MINUTE);
    expect(await made.handler.stateOf(ANN)).toBe("A");
    await made.say("something else");
    await made.clock.advance(10 * MINUTE);
    expect(await made.handler.stateOf(ANN)).toBeUndefined();
    expect(made.notes).toEqual(["passed", "timeout after stay", "second"]);
  });

  test("150: END cancels it", async () => {
    const made = await timed();
    for (const text of ["start", "next", "end"]) await made.say(text);
    await made.clock.advance(100 * MINUTE);
    expect(made.notes).toEqual([]);
    expect(await made.handler.stateOf(ANN)).toBeUndefined();
  });

  test("a new conversation has a time of its own, also where the one before has ended early", async () => {
    const made = await timed();
    for (const text of ["start", "next", "end"]) await made.say(text);
    await made.clock.advance(20 * MINUTE);
    await made.say("start");
    await made.clock.advance(20 * MINUTE);
    expect(await made.handler.stateOf(ANN)).toBe("A");
    await made.clock.advance(10 * MINUTE);
    expect(await made.handler.stateOf(ANN)).toBeUndefined();
  });

  test("143: after a callback that throws it times out as if that update had not come", async () => {
    const made = await timed();
    await made.say("start");
    await made.clock.advance(20 * MINUTE);
    await made.say("fail");
    await made.clock.advance(10 * MINUTE);
    expect(made.notes).toEqual(["timeout after start", "second"]);
  });

  test("152: a TIMEOUT handler that throws is reported, what it changed is rolled back, and the conversation ends all the same", async () => {
    const failing = (made: Conversing): Partial<AnyConversation> => ({
      states: {
        A: [],
        [TIMEOUT]: [
          on("message", (ctx: Late) => {
            made.notes.push("called");
            ctx.chatData.log.push("never");
            throw new Error("on purpose");
          }),
        ],
      } as never,
    });
    const made = await timed(failing);
    await made.say("start");
    await made.clock.advance(30 * MINUTE);
    await made.clock.advance(MINUTE);
    expect(made.notes).toEqual(["called"]);
    expect(made.reported).toEqual([new Error("on purpose")]);
    expect(await made.handler.stateOf(ANN)).toBeUndefined();
    expect(await log(made)).toEqual([[], 0]);
  });

  test.each([
    ["perChat", { user: 7 }],
    ["perUser", { chat: -1 }],
  ])("without %s: its TIMEOUT handlers have the data of the last update all the same", async (setting, parties) => {
    const made = await timed(() => ({ [setting]: false }));
    await made.say("start");
    await made.clock.advance(30 * MINUTE);
    expect(await log(made)).toEqual([["timeout"], 1]);
    expect(await made.handler.stateOf(parties)).toBeUndefined();
    expect(made.reported).toEqual([]);
  });

  test("one that is not persistent times out too", async () => {
    const made = await timed(() => ({ persistent: false }));
    await made.say("start");
    await made.clock.advance(30 * MINUTE);
    expect(made.notes).toEqual(["timeout after start", "second"]);
    expect(await made.handler.stateOf(ANN)).toBeUndefined();
  });

  test("setState begins the time anew; where no update was ever handled, no TIMEOUT handler can run", async () => {
    const made = await timed();
    await made.handler.setState(ANN, "A" as never);
    await made.clock.advance(30 * MINUTE);
    expect(made.notes).toEqual([]);
    expect(await made.handler.stateOf(ANN)).toBeUndefined();
  });

  test("the time goes on when the group becomes a supergroup", async () => {
    const made = await timed();
    await made.say("start");
    await made.app.migrateChatData({ from: -1, to: -100 });
    await made.clock.advance(20 * MINUTE);
    await made.say("stay", { chat: -100 });
    await made.clock.advance(20 * MINUTE);
    expect(await made.handler.stateOf({ chat: -100, user: 7 })).toBe("A");
    await made.clock.advance(10 * MINUTE);
    expect(await made.handler.stateOf({ chat: -100, user: 7 })).toBeUndefined();
    expect(made.notes).toEqual(["timeout after stay", "second"]);
  });
});

describe("154: after a restart", () => {
  async function restarted(pause: number, options?: (made: Conversing) => Partial<AnyConversation>): Promise<Timed> {
    const first = await timed();
    await first.say("start");
    await first.clock.advance(MINUTE);
    await first.app.shutdown();
    await first.clock.advance(pause);
    const again = await timed(options, { clock: first.clock, path: first.path });
    onTestFinished(() => again.app.shutdown());
    await settled();
    return again;
  }

  test("the state and its timeout are there", async () => {
    const made = await restarted(MINUTE);
    expect(await made.handler.stateOf(ANN)).toBe("A");
    await made.clock.advance(28 * MINUTE);
    expect(made.notes).toEqual(["timeout after start", "second"]);
    expect(await made.handler.stateOf(ANN)).toBeUndefined();
  });

  test("what came due meanwhile ends at once", async () => {
    const made = await restarted(100 * MINUTE);
    await made.clock.advance(1);
    expect(made.notes).toEqual(["timeout after start", "second"]);
    expect(await made.handler.stateOf(ANN)).toBeUndefined();
  });

  test("of a conversation whose code is gone it is put off, until that comes back", async () => {
    const made = await restarted(100 * MINUTE, () => ({ name: "other" }));
    await made.clock.advance(1);
    expect(made.warnings).toEqual([expect.stringContaining("no conversation has this name")]);
    await made.app.shutdown();
    const back = await timed(undefined, { clock: made.clock, path: made.path });
    await back.clock.advance(24 * 60 * MINUTE);
    expect(back.notes).toEqual(["timeout after start", "second"]);
  });

  test("it is put off also where the group has become a supergroup; what had no name is no more", async () => {
    const first = await timed();
    await first.say("start");
    first.bot.use(
      first.app.conversation({
        conversationTimeout: "1m",
        entryPoints: [hears("unnamed", () => "A")],
        states: { A: [] },
      }),
    );
    await first.say("unnamed", { user: 8 });
    await first.app.migrateChatData({ from: -1, to: -100 });
    await first.app.shutdown();
    const other = await timed(() => ({ name: "other" }), { clock: first.clock, path: first.path });
    await other.clock.advance(31 * MINUTE);
    expect(other.warnings).toEqual([expect.stringContaining("no conversation has this name")]);
    expect(other.reported).toEqual([]);
    await other.app.shutdown();
    const back = await timed(undefined, { clock: first.clock, path: first.path });
    await back.clock.jump(24 * 60 * MINUTE);
    await back.clock.advance(MINUTE);
    expect(await back.handler.stateOf(ANN)).toBeUndefined();
  });

  test("of a conversation without conversationTimeout by now it ends the conversation once more", async () => {
    const made = await restarted(MINUTE, () => ({ conversationTimeout: undefined }));
    await made.say("stay");
    await made.clock.advance(100 * MINUTE);
    expect(await made.handler.stateOf(ANN)).toBe("A");
  });
});

test("an update and a timeout at the same moment: whichever comes first, the other finds what that has left", async () => {
  for (const updateFirst of [true, false]) {
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const waiting = (): Promise<void> => (begun.resolve(), gate.promise);
    const made = await timed((conversing_) => ({
      states: {
        A: [hears("stay", async () => (updateFirst ? waiting() : undefined))],
        [TIMEOUT]: [
          on("message", async () => {
            if (!updateFirst) await waiting();
            conversing_.notes.push("timeout");
          }),
        ],
      } as never,
    }));
    await made.say("start");
    await made.clock.advance(30 * MINUTE - 1);
    const first = updateFirst ? made.say("stay") : made.clock.advance(1);
    await begun.promise;
    const second = updateFirst ? made.clock.advance(1) : made.say("stay");
    await settled();
    gate.resolve();
    await Promise.all([first, second]);
    expect(made.notes).toEqual(updateFirst ? [] : ["timeout", "passed"]);
    expect(await made.handler.stateOf(ANN)).toBe(updateFirst ? "A" : undefined);
  }
});

describe("a timeout of whose conversation somebody has the record, and no turn", () => {
  const atTheSameMoment = async (
    made: Conversing,
    clock: DrivenClock,
    begin: () => Promise<void>,
    gate: () => void,
  ) => {
    await made.app.jobQueue.start();
    await clock.advance(30 * MINUTE - 1);
    const running = begin();
    await settled();
    await clock.advance(1);
    gate();
    await running;
    await clock.advance(MINUTE);
    expect([...made.caught, ...made.reported]).toEqual([]);
  };

  test("an update of an inline message that many people share", async () => {
    const clock = new DrivenClock();
    const made = conversing({ clock });
    const gate = Promise.withResolvers<void>();
    const handler = made.app.conversation({
      perChat: false,
      perUser: false,
      perMessage: true,
      conversationTimeout: "30m",
      entryPoints: [callbackQuery("go", () => "A")],
      states: { A: [callbackQuery("slow", async () => (await gate.promise, "B" as const))], B: [] },
    });
    made.bot.use(handler);
    await made.hand(press("go"));
    await atTheSameMoment(made, clock, () => made.hand(press("slow", { user: 8 })), gate.resolve);
    expect(await handler.stateOf({ message: 1 })).toBe("B");
  });

  test("an administrator elsewhere who ends it", async () => {
    const clock = new DrivenClock();
    const made = conversing({ clock });
    const gate = Promise.withResolvers<void>();
    const handler = made.app.conversation({
      conversationTimeout: "30m",
      entryPoints: [hears("start", () => "A")],
      states: { A: [] },
    });
    made.bot.use(handler);
    made.bot.hears("end it", async () => {
      made.notes.push(String(await handler.stateOf(ANN)));
      await gate.promise;
      await handler.end(ANN);
    });
    await made.say("start");
    await atTheSameMoment(made, clock, () => made.say("end it", { chat: 5, user: 5 }), gate.resolve);
    expect(made.notes).toEqual(["A"]);
    expect(await handler.stateOf(ANN)).toBeUndefined();
  });

  test("a callback with block: false whose update has changed the state already", async () => {
    const clock = new DrivenClock();
    const made = conversing({ clock });
    const gate = Promise.withResolvers<void>();
    const handler = made.app.conversation<"NEW", never, never>({
      conversationTimeout: "30m",
      entryPoints: [],
      states: { NEW: [hears("slow", () => gate.promise, { block: false })] },
      onStaleState: () => "NEW",
    });
    made.bot.use(handler);
    await handler.setState(ANN, "OLD" as never);
    await atTheSameMoment(made, clock, () => made.say("slow"), gate.resolve);
    expect(await handler.stateOf(ANN)).toBe("NEW");
  });
});
