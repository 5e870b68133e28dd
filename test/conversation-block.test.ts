import { describe, expect, test } from "vitest";
import { callbackQuery, END, hears, on, WAITING } from "../src/index.ts";
import { conversing, press, type AnyConversation, type Conversing } from "./support/conversing.ts";
import { DrivenClock, isSettled, settled } from "./support/driven-clock.ts";
import type { MyContext, MyOptions } from "./support/made-app.ts";
import { withCode } from "./support/with-code.ts";

const ANN = { chat: -1, user: 7 };

/** A conversation with a callback that does not block: it waits until the test lets it return, or throw. */
function slow(
  options: (made: Conversing) => Partial<AnyConversation> = () => ({}),
  appOptions: Partial<MyOptions> = {},
) {
  const made = conversing(appOptions);
  let gate = Promise.withResolvers<unknown>();
  const callback = async (): Promise<never> => {
    made.notes.push("begun");
    const result = await gate.promise;
    made.notes.push("ended");
    return result as never;
  };
  const handler = made.app.conversation<string, never, unknown>({
    name: "talk",
    persistent: true,
    entryPoints: [hears("start", () => "A"), hears("slow start", callback, { block: false })],
    states: {
      A: [hears("slow", callback, { block: false }), hears("quick", () => (made.notes.push("quick"), "B"))],
      B: [hears("end", () => END)],
      [WAITING]: [hears("wait", () => (made.notes.push("waiting"), "B"))],
    },
    fallbacks: [hears("cancel", () => END)],
    ...(options(made) as object),
  } as never);
  made.bot.use(handler);
  made.bot.use((ctx) => void made.notes.push(`passed ${ctx.msg?.text}`));
  return {
    ...made,
    handler,
    end: async (result?: unknown): Promise<void> => {
      gate.resolve(result);
      gate = Promise.withResolvers();
      await settled();
    },
    fail: async (): Promise<void> => {
      gate.reject(new Error("on purpose"));
      gate = Promise.withResolvers();
      await settled();
    },
  };
}

describe("a callback with block: false", () => {
  test("145, 146: while it runs, its conversation's updates go to WAITING only, whose answer is no state; others pass by", async () => {
    const { say, notes, handler, end } = slow();
    await say("start");
    const running = say("slow");
    await settled();
    for (const text of ["quick", "wait", "cancel", "start"]) await say(text);
    expect(notes).toEqual(["begun", "passed quick", "waiting", "passed cancel", "passed start"]);
    expect(await handler.stateOf(ANN)).toBe("A");
    await end("B");
    await running;
    expect(await handler.stateOf(ANN)).toBe("B");
    await say("end");
    expect(await handler.stateOf(ANN)).toBeUndefined();
  });

  test("147: nothing returned leaves the old state, or none", async () => {
    const { say, handler, end } = slow();
    const beginning = say("slow start");
    await settled();
    await end();
    await beginning;
    expect(await handler.stateOf(ANN)).toBeUndefined();
    await say("start");
    const running = say("slow");
    await settled();
    await end();
    await running;
    expect(await handler.stateOf(ANN)).toBe("A");
  });

  test("147: one that throws leaves the old state, and bot.catch hears it", async () => {
    const { say, handler, fail, caught, notes } = slow();
    await say("start");
    const running = say("slow");
    await settled();
    await fail();
    await running;
    expect(caught).toEqual([new Error("on purpose")]);
    expect(await handler.stateOf(ANN)).toBe("A");
    await say("quick");
    expect(notes.at(-1)).toBe("quick");
  });

  test("147: in an entry point, a callback that throws has begun nothing", async () => {
    const { say, handler, fail } = slow();
    const running = say("slow start");
    await settled();
    await fail();
    await running;
    expect(await handler.stateOf(ANN)).toBeUndefined();
    await say("start");
    expect(await handler.stateOf(ANN)).toBe("A");
  });

  test("148, 200: meanwhile the old state is what is kept, and nothing else", async () => {
    const { say, end, app } = slow();
    await say("start");
    const running = say("slow");
    await settled();
    expect(await app.persistence.getConversations("talk")).toEqual([[[-1, 7], "A"]]);
    await end("B");
    await running;
    expect(await app.persistence.getConversations("talk")).toEqual([[[-1, 7], "B"]]);
  });

  test("145: the handler's block counts before the conversation's", async () => {
    const { say, notes, end } = slow((made) => ({
      block: false,
      states: {
        A: [
          hears("blocks", () => void made.notes.push("blocks"), { block: true }),
          hears("does not", async (ctx: MyContext) => {
            expect(() => ctx.chatData).toThrow(withCode("PERDURE_NO_TURN"));
            await ctx.application.transaction({ chats: [-1] }, (tx) => void tx.chatData(-1).log.push("own"));
            made.notes.push("does not");
          }),
        ],
      } as never,
      entryPoints: [hears("start", () => "A")],
    }));
    for (const text of ["start", "blocks", "does not"]) await say(text);
    expect(notes).toEqual(["blocks", "does not"]);
    await end();
  });

  test("the result, the new state and the done mark are one commit; what came before it in the update is in it too", async () => {
    const made = slow();
    const { say, end, app, handler } = made;
    await say("start");
    const running = say("slow");
    await settled();
    // Another update of the same chat and user runs meanwhile, since nothing of either was changed.
    const other = app.transaction({ chats: [-1], users: [7] }, (tx) => void tx.chatData(-1).log.push("meanwhile"));
    expect(await isSettled(other)).toBe(true);
    await end("B");
    await running;
    expect(await handler.stateOf(ANN)).toBe("B");
  });

  test("what happened to the conversation meanwhile stands, and its result is dropped with a warning", async () => {
    const { say, end, handler, warnings } = slow();
    await say("start");
    const running = say("slow");
    await settled();
    await handler.end(ANN);
    await end("B");
    await running;
    expect(await handler.stateOf(ANN)).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining("What it returned is dropped")]);
  });

  test("while it runs there is no timeout: whoever is busy is not silent", async () => {
    const clock = new DrivenClock();
    const { say, end, handler, app, warnings } = slow(() => ({ conversationTimeout: "30m" }), { clock });
    await app.jobQueue.start();
    await say("start");
    const running = say("slow");
    await clock.advance(40 * 60_000);
    expect(await handler.stateOf(ANN)).toBe("A");
    await end("B");
    await running;
    expect(await handler.stateOf(ANN)).toBe("B");
    await clock.advance(30 * 60_000);
    expect(await handler.stateOf(ANN)).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  test("two at once, of people who share a conversation and no turn: the second is for WAITING", async () => {
    const made = conversing();
    const gate = Promise.withResolvers<void>();
    const slowly = async (): Promise<"B"> => {
      made.notes.push("begun");
      await gate.promise;
      return "B";
    };
    const handler = made.app.conversation({
      perChat: false,
      perUser: false,
      perMessage: true,
      entryPoints: [callbackQuery("go", () => "A")],
      states: {
        A: [callbackQuery("slow", slowly, { block: false })],
        B: [],
        [WAITING]: [callbackQuery("slow", () => void made.notes.push("waiting"))],
      },
    });
    made.bot.use(handler);
    await made.hand(press("go"));
    const both = [press("slow", { chat: -1, user: 7 }), press("slow", { chat: -2, user: 8 })].map(made.hand);
    await settled();
    gate.resolve();
    await Promise.all(both);
    expect(made.notes).toEqual(["begun", "waiting"]);
    expect(await handler.stateOf({ message: 1 })).toBe("B");
  });

  test.each([
    ["slow", "B"],
    ["slow start", "A"],
  ])("%s: its result is for the supergroup that its group has become meanwhile", async (text, result) => {
    const { say, end, app, handler, warnings } = slow();
    if (text === "slow") await say("start");
    const running = say(text);
    await settled();
    await app.migrateChatData({ from: -1, to: -100 });
    await end(result);
    await running;
    expect(await handler.stateOf({ chat: -100, user: 7 })).toBe(result);
    expect(warnings).toEqual([]);
  });

  test("one that a stop has given up is not under way any more: begun anew in the same process, its update runs again", async () => {
    const clock = new DrivenClock();
    const made = slow(() => ({}), { clock, stopTimeout: "1s" });
    await made.say("start");
    void made.say("slow");
    await settled();
    const stopping = made.app.shutdown();
    await clock.advance(1000);
    await stopping;
    await made.app.initialize();
    made.app.webhookCallback("std/http");
    await clock.advance(0);
    expect(made.notes).toEqual(["begun", "begun"]);
    await made.end("B");
    expect(await made.handler.stateOf(ANN)).toBe("B");
  });

  test("in a nested conversation its result goes up as ever", async () => {
    const made = conversing();
    const gate = Promise.withResolvers<string>();
    const child = made.app.conversation({
      entryPoints: [hears("child", () => "C")],
      states: {
        C: [hears("slow", async () => (await gate.promise) as "DONE", { block: false })],
        [WAITING]: [on("message", () => void made.notes.push("waiting"))],
      },
      mapToParent: { DONE: "P2" },
    });
    const parent = made.app.conversation({
      entryPoints: [hears("parent", () => "P1")],
      states: { P1: [child], P2: [] },
      fallbacks: [hears("cancel", () => END)],
    });
    made.bot.use(parent);
    for (const text of ["parent", "child"]) await made.say(text);
    const running = made.say("slow");
    await settled();
    await made.say("anything");
    gate.resolve("DONE");
    await running;
    expect(made.notes).toEqual(["waiting"]);
    expect([await parent.stateOf(ANN), await child.stateOf(ANN)]).toEqual(["P2", undefined]);
  });

  test("in a nested conversation whose parent has ended meanwhile it wakes nobody", async () => {
    const made = conversing();
    const gate = Promise.withResolvers<string>();
    const child = made.app.conversation({
      entryPoints: [hears("child", () => "C")],
      states: { C: [hears("slow", async () => (await gate.promise) as "DONE", { block: false })] },
      mapToParent: { DONE: "P2" },
    });
    const parent = made.app.conversation({
      entryPoints: [hears("parent", () => "P1")],
      states: { P1: [child], P2: [] },
      fallbacks: [hears("cancel", () => END)],
    });
    made.bot.use(parent);
    for (const text of ["parent", "child"]) await made.say(text);
    const running = made.say("slow");
    await settled();
    await made.say("cancel");
    gate.resolve("DONE");
    await running;
    expect([await parent.stateOf(ANN), await child.stateOf(ANN)]).toEqual([undefined, undefined]);
  });
});
