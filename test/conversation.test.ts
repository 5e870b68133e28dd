import { Bot, Composer, type Context } from "grammy";
import { describe, expect, test, vi } from "vitest";
import {
  Application,
  callbackQuery,
  command,
  DictPersistence,
  END,
  filter,
  hears,
  on,
  SqlitePersistence,
  TIMEOUT,
  WAITING,
  type PersistentContext,
} from "../src/index.ts";
import { conversing, press, type AnyConversation, type Conversing } from "./support/conversing.ts";
import { settled } from "./support/driven-clock.ts";
import type { MyContext } from "./support/made-app.ts";
import { change } from "./support/opened-sqlite.ts";
import { query } from "./support/read-file.ts";
import { withCode } from "./support/with-code.ts";

const ANN = { chat: -1, user: 7 };

/** A handler that notes that it was called, and returns a state. */
function noting(made: Conversing, text: string, state?: unknown) {
  return hears(text, (ctx: MyContext) => {
    made.notes.push(text);
    ctx.chatData.log.push(text);
    return state as string;
  });
}

/** A conversation from A over B to its end, with a fallback. */
function install(made: Conversing, options: Partial<AnyConversation> = {}) {
  const handler = made.app.conversation<string, never, unknown>({
    name: "talk",
    entryPoints: [noting(made, "start", "A")],
    states: { A: [noting(made, "next", "B"), noting(made, "stay")], B: [noting(made, "end", END)] },
    fallbacks: [noting(made, "cancel", END), noting(made, "fall")],
    ...(options as object),
  } as never);
  made.bot.use(handler);
  made.bot.use(() => void made.notes.push("passed"));
  return handler;
}

describe("construction", () => {
  test("129: the options are PTB's, and read-only afterwards", () => {
    const handler = install(conversing());
    expect(handler.settings).toEqual({
      allowReentry: false,
      perChat: true,
      perUser: true,
      perMessage: false,
      block: true,
      conversationTimeout: undefined,
      version: 0,
    });
    expect([handler.name, handler.persistent]).toEqual(["talk", false]);
    expect(() => Object.assign(handler, { name: "x" })).toThrow(TypeError);
    expect(() => Object.assign(handler.settings, { block: false })).toThrow(TypeError);
  });

  test("130: END, TIMEOUT and WAITING are PTB's numbers", () => {
    expect([END, TIMEOUT, WAITING]).toEqual([-1, -2, -3]);
  });

  test("131: persistent without a name is refused", () => {
    const made = conversing();
    expect(() => install(made, { persistent: true, name: undefined })).toThrow(
      "Conversations can't be persistent when handler is unnamed.",
    );
  });

  test("132: keyed by nothing is refused", () => {
    const made = conversing();
    expect(() => install(made, { perChat: false, perUser: false })).toThrow(
      "'perUser', 'perChat' and 'perMessage' can't all be 'false'",
    );
  });

  test.each<[string, Partial<AnyConversation>]>([
    ["the ids of messages are unique within a chat only", { perMessage: true, perChat: false }],
    [
      "A handler of message, channel_post is never called: with perMessage",
      { perMessage: true, entryPoints: [command("go", () => "A")] },
    ],
    ["A handler of inline_query is never called: with perChat", { entryPoints: [on("inline_query", () => "A")] }],
    [
      "A handler of message_reaction_count is never called: with perUser",
      { fallbacks: [on("message_reaction_count", () => END)] },
    ],
    ["A handler of channel_post is never called: conversations do not", { fallbacks: [on("channel_post", () => END)] }],
    [
      "it has handlers of TIMEOUT and no conversationTimeout",
      { states: { A: [], [TIMEOUT]: [on("message", () => {})] } as never },
    ],
  ])("133: what cannot work is warned of: %s", (warning, options) => {
    const made = conversing();
    install(made, options);
    expect(made.warnings).toContainEqual(expect.stringContaining(warning));
  });

  test("133: what works is not warned of: buttons without perMessage, inline queries by user, timeouts in nested ones", () => {
    const made = conversing();
    install(made, {
      entryPoints: [
        callbackQuery("go", () => "A"),
        filter(
          () => true,
          () => "A",
        ),
      ],
    });
    install(made, { name: "by user", perChat: false, entryPoints: [on("inline_query", () => "A")] });
    expect(made.warnings).toEqual([]);
  });

  test("127: what is no handler is refused where it is added", () => {
    const made = conversing();
    expect(() => install(made, { entryPoints: ["go"] as never })).toThrow("entryPoints[0] is no handler");
    expect(() => install(made, { states: { A: [() => {}] } as never })).toThrow("states.A[0] is no handler");
    expect(() => install(made, { states: { A: "x" } as never })).toThrow("states.A must be an array");
  });

  test("options that do nothing, or are none, are refused", () => {
    const made = conversing();
    expect(() => install(made, { version: -1 })).toThrow("version is -1");
    expect(() => install(made, { migrate: (state) => state as string })).toThrow("it would never be called");
    expect(() => install(made, { onStaleState: "stop" as never })).toThrow('onStaleState must be "end" or a function');
    expect(() => install(made, { conversationTimeout: "soon" as never })).toThrow("conversationTimeout");
    expect(() => install(made, { conversationTimeout: 300 })).toThrow('write "300s" for seconds');
    expect(() => install(made, { states: { [TIMEOUT]: undefined } as never })).toThrow("states[TIMEOUT] must be an");
    expect(() => install(made, { name: "a\0b" })).toThrow(withCode("PERDURE_INVALID_OPTION"));
  });

  test("128: a name that is taken is refused", () => {
    const made = conversing();
    install(made);
    expect(() => install(made)).toThrow('There is a conversation named "talk" already');
  });

  test("125: without a persistence there is no application", () => {
    const bot = new Bot<PersistentContext<Context, object>>("1:x");
    expect(() => new Application(bot, { persistence: undefined as never })).toThrow(withCode("PERDURE_INVALID_OPTION"));
  });

  test("126: a persistent one that is made after initialize is warned of, and has its stored states", async () => {
    const made = conversing();
    await made.app.initialize();
    install(made, { persistent: true });
    expect(made.warnings).toEqual([expect.stringContaining("This is discouraged")]);
    install(made, { name: "in memory" });
    expect(made.warnings).toHaveLength(1);
  });

  test("a handler of another application, or a bot without one, is refused", async () => {
    const [made, other] = [conversing(), conversing()];
    const handler = install(other);
    expect(() => install(made, { fallbacks: [handler] as never })).toThrow("another application");
    made.bot.use(handler);
    await made.say("start");
    expect(made.caught).toEqual([withCode("PERDURE_INVALID_OPTION")]);
  });
});

describe("whose conversation it is", () => {
  test.each<[string, Partial<AnyConversation>, object, unknown]>([
    ["chat and user", {}, ANN, [-1, 7]],
    ["chat", { perUser: false }, { chat: -1 }, [-1]],
    ["user", { perChat: false }, { user: 7 }, [7]],
    ["chat, user and message", { perMessage: true }, { ...ANN, message: 5 }, [-1, 7, 5]],
  ])("134: the key has %s, in this order", async (_, options, parties, id) => {
    const made = conversing();
    const handler = install(made, { ...options, persistent: true, entryPoints: [callbackQuery("go", () => "A")] });
    await made.hand(press("go", { message: 5 }));
    expect(await handler.stateOf(parties)).toBe("A");
    expect(await made.app.persistence.getConversations("talk")).toEqual([[id, "A"]]);
  });

  test("134: an inline message stands for the chat and the message", async () => {
    const made = conversing();
    const handler = install(made, {
      perMessage: true,
      perChat: false,
      persistent: true,
      entryPoints: [callbackQuery("go", () => "A")],
    });
    const query = { id: "1", from: { id: 7 }, chat_instance: "1", data: "go", inline_message_id: "abc" };
    await made.hand({ callback_query: query });
    expect(await handler.stateOf({ user: 7, message: "abc" })).toBe("A");
    expect(await made.app.persistence.getConversations("talk")).toEqual([[[7, "abc"], "A"]]);
  });

  test("135: what lacks a part of the key is passed on, never mixed with others", async () => {
    const made = conversing();
    const anything = filter<MyContext, "A">(
      () => true,
      () => (made.notes.push("taken"), "A"),
    );
    install(made, { entryPoints: [anything], states: { A: [anything] } });
    const post = { message_id: 1, date: 0, chat: { id: -100, type: "channel", title: "" }, text: "x" };
    for (const update of [
      { channel_post: post },
      { edited_channel_post: post },
      { inline_query: { id: "1", from: { id: 7 }, query: "", offset: "" } },
      { poll: { id: "1" } },
      { callback_query: { id: "1", from: { id: 7 }, chat_instance: "1", data: "x", inline_message_id: "abc" } },
      { message_reaction_count: { chat: { id: -1 }, message_id: 1, date: 0, reactions: [] } },
    ]) {
      await made.hand(update);
    }
    expect(made.notes).toEqual(Array.from({ length: 6 }, () => "passed"));
    await made.say("x");
    expect(made.notes.at(-1)).toBe("taken");
  });

  test("135: with perMessage only presses of buttons are handled", async () => {
    const made = conversing();
    const anything = filter<MyContext, "A">(
      () => true,
      () => (made.notes.push("taken"), "A"),
    );
    install(made, { perMessage: true, entryPoints: [anything] });
    await made.say("x");
    await made.hand(press("x"));
    expect(made.notes).toEqual(["passed", "taken"]);
  });

  test("people, and chats, do not share a conversation", async () => {
    const made = conversing();
    const handler = install(made);
    await made.say("start");
    await made.say("next", { user: 8 });
    await made.say("next", { chat: -2 });
    expect(made.notes).toEqual(["start", "passed", "passed"]);
    await made.say("start", { user: 8 });
    await made.say("next");
    expect(await handler.stateOf({ chat: -1, user: 8 })).toBe("A");
    expect(await handler.stateOf(ANN)).toBe("B");
  });
});

describe("which handler gets an update", () => {
  test("136: entry points outside, the state's handlers, then fallbacks inside; the first that matches is the only one", async () => {
    const made = conversing();
    install(made, {
      states: {
        A: [noting(made, "fall", "A"), noting(made, "twice"), hears("twice", () => void made.notes.push("never"))],
        B: [],
      } as never,
    });
    for (const text of ["fall", "start", "twice", "fall", "cancel", "fall"]) await made.say(text);
    expect(made.notes).toEqual(["passed", "start", "twice", "fall", "cancel", "passed"]);
  });

  test("136: with allowReentry entry points come first inside too", async () => {
    const made = conversing();
    const handler = install(made, {
      allowReentry: true,
      states: { A: [noting(made, "start", "B"), noting(made, "next", "B")], B: [] } as never,
    });
    for (const text of ["start", "next", "start"]) await made.say(text);
    expect(await handler.stateOf(ANN)).toBe("A");
  });

  test("137: without allowReentry an entry point is not tried inside, and the update is passed on", async () => {
    const made = conversing();
    const handler = install(made);
    for (const text of ["start", "next", "start"]) await made.say(text);
    expect(made.notes).toEqual(["start", "next", "passed"]);
    expect(await handler.stateOf(ANN)).toBe("B");
  });

  test("a composer is a handler: it takes what it does not hand on", async () => {
    const made = conversing();
    const composer = new Composer<MyContext>();
    composer.hears("by composer", async () => {
      made.notes.push("composer");
      await handler.setState(ANN, "B");
    });
    const handler = install(made, { states: { A: [composer, noting(made, "next", "B")], B: [] } as never });
    for (const text of ["start", "by composer", "next"]) await made.say(text);
    expect(made.notes).toEqual(["start", "composer", "passed"]);
    expect(await handler.stateOf(ANN)).toBe("B");
  });

  test("a composer takes what its handlers take that were added later, as in grammY", async () => {
    const made = conversing();
    const form = new Composer<MyContext>();
    install(made, { states: { A: [form] } as never });
    form.hears("late", () => void made.notes.push("late"));
    for (const text of ["start", "late", "other"]) await made.say(text);
    expect(made.notes).toEqual(["start", "late", "passed"]);
  });

  test("any object with check and callback is a handler, and callback gets what check has answered", async () => {
    const made = conversing();
    const own = {
      check: async (ctx: MyContext) => /^(\d+)$/.exec(ctx.msg?.text ?? "")?.[1],
      callback: (_: MyContext, match: string) => (made.notes.push(match), "B"),
    };
    const handler = install(made, { entryPoints: [own] });
    for (const text of ["x", "12"]) await made.say(text);
    expect(made.notes).toEqual(["passed", "12"]);
    expect(await handler.stateOf(ANN)).toBe("B");
  });
});

describe("what a callback returns", () => {
  const returning = (made: Conversing, value: unknown) => hears(/.*/, () => (made.notes.push("taken"), value as "A"));

  test.each([[undefined], [null], [true], [{ message_id: 1 }], [[1, 2]]])(
    "139: %j in an entry point begins nothing, and is handled",
    async (value) => {
      const made = conversing();
      const handler = install(made, { entryPoints: [returning(made, value)] });
      await made.say("x");
      expect(made.notes).toEqual(["taken"]);
      expect(await handler.stateOf(ANN)).toBeUndefined();
    },
  );

  test.each([[undefined], [null], [true], [{ message_id: 1 }]])("139: %j in a state stays in it", async (value) => {
    const made = conversing();
    const handler = install(made, { states: { A: [returning(made, value)] } });
    for (const text of ["start", "x"]) await made.say(text);
    expect(await handler.stateOf(ANN)).toBe("A");
  });

  test("139: END ends, and the conversation may begin anew", async () => {
    const made = conversing();
    const handler = install(made, { persistent: true });
    for (const text of ["start", "next", "end"]) await made.say(text);
    expect(await made.app.persistence.getConversations("talk")).toEqual([]);
    await made.say("start");
    expect(await handler.stateOf(ANN)).toBe("A");
  });

  test("140: an unknown state is warned of, with the name of the callback, and stored", async () => {
    const made = conversing();
    const handler = install(made, {
      entryPoints: [
        hears("go", function begin() {
          return "AA" as "A";
        }),
      ],
    });
    await made.say("go");
    expect(made.warnings).toEqual(["'begin' returned state AA which is unknown to the ConversationHandler talk."]);
    expect(await handler.stateOf(ANN)).toBe("AA");
  });

  test('141: numbers are states; 1 and "1" are the same', async () => {
    const made = conversing();
    const handler = install(made, {
      entryPoints: [noting(made, "start", 0)],
      states: { 0: [noting(made, "next", 1)], 1: [noting(made, "end", END)] } as never,
    });
    for (const text of ["start", "next"]) await made.say(text);
    expect(await handler.stateOf(ANN)).toBe(1);
    await handler.setState(ANN, "1");
    await made.say("end");
    expect(made.notes).toEqual(["start", "next", "end"]);
  });

  test("141: the empty text is a state, and what is no state is not that one", async () => {
    const made = conversing();
    const states = { A: [hears("object", () => ({ message_id: 1 })), hears("empty", () => "")], "": [] };
    const handler = made.app.conversation({ entryPoints: [hears("start", () => "A")], states });
    made.bot.use(handler);
    for (const text of ["start", "object"]) await made.say(text);
    expect(await handler.stateOf(ANN)).toBe("A");
    await made.say("empty");
    expect(await handler.stateOf(ANN)).toBe("");
  });

  test("141: in a map any plain value is a state, compared by value", async () => {
    const made = conversing();
    const handler = made.app.conversation({
      name: "pairs",
      persistent: true,
      entryPoints: [hears("start", () => ["A", 1])],
      states: new Map<unknown, never>([
        [["A", 1], [hears("next", () => ({ step: "B" }))] as never],
        [{ step: "B" }, [hears("end", () => END)] as never],
      ]),
    });
    made.bot.use(handler);
    await made.say("start");
    expect(await made.app.persistence.getConversations("pairs")).toEqual([
      [
        [-1, 7],
        ["A", 1],
      ],
    ]);
    await made.say("next");
    expect(await handler.stateOf(ANN)).toEqual({ step: "B" });
    await made.say("end");
    expect(await handler.stateOf(ANN)).toBeUndefined();
  });

  test("142: a callback that throws leaves the state, and all else of its update, as it was; bot.catch hears it", async () => {
    const made = conversing();
    const failing = hears("fail", async (ctx: MyContext) => {
      ctx.chatData.log.push("never");
      await handler.setState(ANN, "B");
      throw new Error("on purpose");
    });
    const handler = install(made, { states: { A: [failing, noting(made, "next", "B")], B: [] } as never });
    for (const text of ["start", "fail"]) await made.say(text);
    expect(await handler.stateOf(ANN)).toBe("A");
    expect(made.caught).toEqual([new Error("on purpose")]);
    const logged = await made.app.transaction({ chats: [-1] }, (tx) => tx.chatData(-1).log);
    expect(logged).toEqual(["start"]);
  });

  test("144: what is handled stops there; the state that goes with it is the return value", async () => {
    const made = conversing();
    install(made);
    await made.say("start");
    expect(made.notes).toEqual(["start"]);
  });
});

describe("states that the code no longer knows", () => {
  async function stale(options: Partial<AnyConversation>) {
    const made = conversing();
    const handler = install(made, options);
    await handler.setState(ANN, "OLD");
    return { ...made, handler };
  }

  test("138: by default that conversation ends with a warning, and the update may begin a new one", async () => {
    const { say, notes, handler, warnings } = await stale({});
    await say("fall");
    expect(warnings).toEqual([
      'The state "OLD" of [-1,7] is not among the states of talk. That conversation was ended.',
    ]);
    await say("start");
    expect(notes).toEqual(["passed", "start"]);
    expect(await handler.stateOf(ANN)).toBe("A");
  });

  test("138: a function that answers nothing leaves it to fallbacks, as PTB does", async () => {
    const { say, notes, handler } = await stale({ onStaleState: () => {} });
    for (const text of ["start", "next", "fall"]) await say(text);
    expect(notes).toEqual(["passed", "passed", "fall"]);
    expect(await handler.stateOf(ANN)).toBe("OLD");
  });

  test("138: it leaves it to re-entry too", async () => {
    const { say, notes } = await stale({ onStaleState: () => {}, allowReentry: true });
    await say("start");
    expect(notes).toEqual(["start"]);
  });

  test("a function answers the state to go on in, or END", async () => {
    const asked: unknown[] = [];
    const onStaleState = (state: unknown, ctx: MyContext) => (asked.push([state, ctx.msg?.text]), "A");
    const { say, notes } = await stale({ onStaleState });
    await say("next");
    expect([asked, notes]).toEqual([[["OLD", "next"]], ["next"]]);
    const ending = await stale({ onStaleState: () => END });
    await ending.say("fall");
    expect(await ending.handler.stateOf(ANN)).toBeUndefined();
  });

  test("version and migrate bring up renamed states, once, from whichever version they are", async () => {
    const asked: unknown[] = [];
    const migrate = (state: unknown, version: number) => {
      asked.push([state, version]);
      return state === "NAME" ? "B" : undefined;
    };
    // Stored by version 0, as by PTB.
    const persistence = new DictPersistence({
      conversationsJson: '{"talk": {"[-1, 7]": "NAME", "[-1, 8]": "A"}}',
    });
    const made = conversing({ persistence });
    const handler = install(made, { persistent: true, version: 2, migrate });
    for (const text of ["end", "start"]) await made.say(text);
    await made.say("next", { user: 8 });
    await made.say("end", { user: 8 });
    expect(made.notes).toEqual(["end", "start", "next", "end"]);
    expect(asked).toEqual([
      ["NAME", 0],
      ["A", 0],
    ]);
    expect(await handler.stateOf(ANN)).toBe("A");
  });
});

describe("keeping", () => {
  test("155, 157, 158: what is stored is the state by key; a stored END or nothing is no conversation", async () => {
    const persistence = new DictPersistence({
      conversationsJson: '{"talk": {"[-1, 7]": "A", "[-1, 8]": -1, "[-1, 9]": null}}',
    });
    const made = conversing({ persistence });
    const handler = install(made, { persistent: true });
    await made.say("next");
    for (const user of [8, 9]) await made.say("start", { user });
    expect(made.notes).toEqual(["next", "start", "start"]);
    await made.app.updatePersistence();
    expect(JSON.parse(persistence.conversationsJson)).toEqual({
      talk: { "[-1, 7]": "B", "[-1, 8]": "A", "[-1, 9]": "A" },
    });
    expect(await handler.stateOf(ANN)).toBe("B");
  });

  test("156: an ended conversation is sent as null, and what has not changed is not sent", async () => {
    const persistence = new DictPersistence();
    const sent = vi.spyOn(persistence, "updateConversation");
    const made = conversing({ persistence });
    install(made, { persistent: true });
    for (const text of ["start", "stay", "next"]) await made.say(text);
    await made.app.updatePersistence();
    for (const text of ["end"]) await made.say(text);
    await made.app.updatePersistence();
    expect(sent.mock.calls).toEqual([
      ["talk", [-1, 7], "B"],
      ["talk", [-1, 7], null],
    ]);
  });

  test("what is not persistent is in memory only, and rolls back all the same", async () => {
    const made = conversing();
    const failing = hears("fail", async () => {
      await handler.setState(ANN, "B");
      throw new Error("on purpose");
    });
    const handler = install(made, { states: { A: [failing], B: [] } as never });
    await made.say("start");
    await made.say("fail");
    expect(await handler.stateOf(ANN)).toBe("A");
    expect(await made.app.persistence.getConversations("talk")).toEqual([]);
    const unnamed = install(made, { name: undefined });
    expect(await unnamed.stateOf(ANN)).toBeUndefined();
  });

  test("a record that is no conversation is not taken for none: an error of the update, and left as it is", async () => {
    const made = conversing();
    const handler = install(made, { persistent: true });
    await made.say("start");
    const key = { kind: "conversation", name: "talk", id: [-1, 7] } as const;
    for (const text of ['"B"', '{"State":"B"}', "[]", "null"]) {
      await (made.app.persistence as SqlitePersistence).commit([{ changes: [change(key, text)] }]);
      await made.say("end");
      expect(made.caught.splice(0)).toEqual([withCode("PERDURE_CANNOT_DECODE")]);
      await expect(handler.stateOf(ANN)).rejects.toThrow('talk.[-1,7] is kept as something else than { "state": ... }');
      expect(query(made.path, "select data from conversation")).toEqual([{ data: text }]);
    }
    expect(made.notes).toEqual(["start"]);
  });

  test("156: step 500 writes the bytes and rows that step 5 writes", async () => {
    const made = conversing({ initial: { bot: () => ({ n: 0 }), chat: () => ({ log: [] }), user: () => ({ n: 0 }) } });
    const persistence = made.app.persistence as SqlitePersistence;
    const commit = persistence.commit.bind(persistence);
    const written: number[][] = [];
    vi.spyOn(persistence, "commit").mockImplementation((units) => {
      const changes = units.flatMap((unit) => unit.changes);
      if (changes.length > 0)
        written.push([
          changes.length,
          Buffer.byteLength(JSON.stringify(changes.map(({ key, record }) => [key, record?.text]))),
        ]);
      return commit(units);
    });
    const handler = made.app.conversation({
      name: "long",
      persistent: true,
      entryPoints: [hears("step", () => "ODD")],
      states: { ODD: [hears("step", () => "TWO")], TWO: [hears("step", () => "ODD")] },
    });
    made.bot.use(handler);
    for (let step = 1; step <= 500; step += 1) await made.say("step");
    expect(written).toHaveLength(500);
    expect(written[499]).toEqual(written[4]);
    expect(written[499]?.[0]).toBe(1);
  });
});

describe("tools", () => {
  test("stateOf, setState and end belong to a transaction, and are units of their own outside", async () => {
    const made = conversing();
    const handler = install(made, { persistent: true });
    await handler.setState(ANN, "A");
    const failing = made.app.transaction({ chats: [-1], users: [7] }, async () => {
      await handler.setState(ANN, "B");
      expect(await handler.stateOf(ANN)).toBe("B");
      throw new Error("on purpose");
    });
    await expect(failing).rejects.toThrow("on purpose");
    expect(await handler.stateOf(ANN)).toBe("A");
    await made.say("next");
    expect(made.notes).toEqual(["next"]);
    await made.app.transaction({}, () => handler.end(ANN));
    expect(await handler.stateOf(ANN)).toBeUndefined();
    await handler.end(ANN);
    await expect(handler.stateOf({ chat: -1 })).rejects.toThrow(TypeError);
  });

  test("a group that becomes a supergroup takes its conversations along, and a user who is forgotten has none", async () => {
    const made = conversing();
    const brief = made.app.conversation({
      name: "brief",
      entryPoints: [hears("brief", () => "A")],
      states: { A: [] },
    });
    made.bot.use(brief);
    const handler = install(made, { persistent: true });
    for (const text of ["start", "brief"]) await made.say(text);
    await made.app.migrateChatData({ from: -1, to: -100 });
    expect([await handler.stateOf({ chat: -100, user: 7 }), await handler.stateOf(ANN)]).toEqual(["A", "A"]);
    expect(await brief.stateOf({ chat: -100, user: 7 })).toBe("A");
    await made.say("next");
    await made.say("end", { chat: -100 });
    expect(made.notes).toEqual(["start", "next", "end"]);
    await handler.setState(ANN, "A");
    await made.app.forgetUser(7);
    expect([await handler.stateOf(ANN), await brief.stateOf(ANN)]).toEqual([undefined, undefined]);
  });
});

describe("at the same moment", () => {
  test("164: two answers are handled in order, each in the state that the one before has left", async () => {
    const made = conversing({ concurrency: 64 });
    const gate = Promise.withResolvers<void>();
    const slow = hears("next", async () => {
      await gate.promise;
      made.notes.push("next");
      return "B";
    });
    install(made, { states: { A: [slow], B: [noting(made, "end", END)] } as never });
    await made.say("start");
    const both = [made.say("next"), made.say("end")];
    await settled();
    gate.resolve();
    await Promise.all(both);
    expect(made.notes).toEqual(["start", "next", "end"]);
  });

  test("164: also where it is keyed by a message only, which gives no turn", async () => {
    const made = conversing({ concurrency: 64 });
    const counting = callbackQuery<MyContext, number>("up", async (ctx) => {
      await settled(3);
      made.notes.push(String(ctx.from.id));
      return made.notes.length;
    });
    const handler = install(made, {
      perMessage: true,
      perChat: false,
      perUser: false,
      entryPoints: [counting],
      states: Object.fromEntries([1, 2, 3, 4].map((state) => [state, [counting]])),
    });
    await Promise.all([11, 12, 13].map((user) => made.hand(press("up", { user, chat: -user, message: 5 }))));
    expect(made.notes).toEqual(["11", "12", "13"]);
    expect(await handler.stateOf({ message: 5 })).toBe(3);
  });
});

test("165: one process has the file, so no other one keeps states of its own", async () => {
  const made = conversing();
  await made.app.initialize();
  const second = new SqlitePersistence({ path: made.path, ownerTimeout: 0, durability: "os" });
  await expect(second.open({ botId: 1, now: () => 0 })).rejects.toThrow(withCode("PERDURE_OWNED"));
});
