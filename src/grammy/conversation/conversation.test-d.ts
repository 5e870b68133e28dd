import { Bot, Composer, type Context } from "grammy";
import { describe, expectTypeOf, test } from "vitest";
import {
  Application,
  callbackQuery,
  command,
  SqlitePersistence,
  END,
  filter,
  on,
  TIMEOUT,
  WAITING,
  type ConversationHandler,
  type PersistentContext,
} from "../../index.ts";

type MyContext = PersistentContext<Context, { chat: { n?: number } }> & { plugin: number };

const bot = new Bot<MyContext>("1:x");
const app = new Application(bot, { persistence: new SqlitePersistence({ path: "bot.sqlite" }) });

describe("a conversation knows", () => {
  test("its context, narrowed by the builders", () => {
    app.conversation({
      entryPoints: [
        command("go", (ctx) => {
          expectTypeOf(ctx.match).toEqualTypeOf<string>();
          expectTypeOf(ctx.plugin).toEqualTypeOf<number>();
          return "NAME";
        }),
      ],
      states: {
        NAME: [
          on("message:text", (ctx) => {
            expectTypeOf(ctx.msg.text).toEqualTypeOf<string>();
            expectTypeOf(ctx.chatData.n).toEqualTypeOf<number | undefined>();
            // @ts-expect-error a text need not have a photo
            void ctx.msg.photo.length;
          }),
          callbackQuery(/x/, (ctx) => {
            expectTypeOf(ctx.callbackQuery.data).toEqualTypeOf<string>();
          }),
          filter(
            (ctx): ctx is MyContext & { extra: 1 } => ctx.plugin > 1,
            (ctx) => void expectTypeOf(ctx.extra).toEqualTypeOf<1>(),
          ),
          new Composer<MyContext>(),
        ],
      },
    });
  });

  test("its states, from the keys of `states`", () => {
    const texts = app.conversation({
      entryPoints: [command("go", async () => "NAME")],
      states: {
        NAME: [on("message", () => "AGE")],
        AGE: [on("message", (ctx) => (ctx.msg.text === "x" ? "NAME" : null))],
      },
      fallbacks: [command("cancel", () => END)],
    });
    expectTypeOf(texts).toEqualTypeOf<ConversationHandler<MyContext, "NAME" | "AGE", never>>();
    expectTypeOf(texts.stateOf({ chat: 1, user: 1 })).resolves.toEqualTypeOf<"NAME" | "AGE" | undefined>();
    void texts.setState({ chat: 1, user: 1 }, END);
    // @ts-expect-error no such state
    void texts.setState({ chat: 1, user: 1 }, "NAEM");
    const numbers = app.conversation({
      entryPoints: [command("go", () => 0)],
      states: { 0: [on("message", () => 1)], 1: [] },
    });
    expectTypeOf(numbers).toEqualTypeOf<ConversationHandler<MyContext, 0 | 1, never>>();
    bot.use(texts, numbers);
  });

  test("that what API calls resolve with is no state", () => {
    app.conversation({
      entryPoints: [command("go", (ctx) => ctx.reply("hello"))],
      states: { A: [callbackQuery("x", (ctx) => ctx.answerCallbackQuery()), on("message", () => {})] },
    });
  });

  test("that TIMEOUT and WAITING are no states, and that TIMEOUT has no flavors of plugins", () => {
    const handler = app.conversation({
      entryPoints: [command("go", () => "A")],
      states: {
        A: [],
        [TIMEOUT]: [
          on("message", (ctx) => {
            expectTypeOf(ctx.chatData.n).toEqualTypeOf<number | undefined>();
            // @ts-expect-error no flavor
            void ctx.plugin;
          }),
        ],
        [WAITING]: [on("message", (ctx) => ctx.reply(String(ctx.plugin)))],
      },
    });
    expectTypeOf(handler).toEqualTypeOf<ConversationHandler<MyContext, "A", never>>();
  });
});

describe("does not compile:", () => {
  test("a state that does not exist, in an entry point, a state and a fallback", () => {
    app.conversation({
      // @ts-expect-error
      entryPoints: [command("go", () => "NAEM")],
      states: { NAME: [] },
    });
    app.conversation({
      entryPoints: [],
      // @ts-expect-error
      states: { NAME: [on("message:text", async () => "NAEM")] },
    });
    app.conversation({
      entryPoints: [],
      states: { NAME: [] },
      // @ts-expect-error
      fallbacks: [command("cancel", () => 5)],
    });
  });

  test("a handler of a context that the bot has not", () => {
    const foreign = on<Context & { session: number }, "message", "A">("message", () => "A");
    app.conversation({
      // @ts-expect-error
      entryPoints: [foreign],
      states: { A: [] },
    });
  });

  test("a nested conversation that gives the parent a state which that has not", () => {
    const child = app.conversation({
      entryPoints: [command("child", () => "NAME")],
      states: { NAME: [on("message", () => "STOP"), on("message", () => END)] },
      mapToParent: { [END]: "PICK", STOP: END },
    });
    expectTypeOf(child).toEqualTypeOf<ConversationHandler<MyContext, "NAME", "PICK" | -1>>();
    app.conversation({ entryPoints: [child], states: { PICK: [child] } });
    // @ts-expect-error
    app.conversation({ entryPoints: [child], states: { OTHER: [] } });
    app.conversation({
      entryPoints: [command("child", () => "NAME")],
      // @ts-expect-error neither a state nor in mapToParent
      states: { NAME: [on("message", () => "STOPP")] },
      mapToParent: { STOP: END },
    });
  });

  test("a state that onStaleState or migrate invents", () => {
    // @ts-expect-error
    app.conversation({ entryPoints: [], states: { A: [] }, onStaleState: () => "B" });
    // @ts-expect-error
    app.conversation({ entryPoints: [], states: { A: [] }, version: 1, migrate: () => "B" });
  });
});

test("onStaleState and migrate answer a state that there is", () => {
  app.conversation({ entryPoints: [], states: { A: [] }, onStaleState: () => "A", version: 1, migrate: () => "A" });
});

test("in a map any plain value is a state, unchecked", () => {
  const handler = app.conversation({
    entryPoints: [command("go", () => ["A", 1])],
    states: new Map([[["A", 1], [on("message", () => END)]]]),
  });
  expectTypeOf(handler).toEqualTypeOf<ConversationHandler<MyContext, unknown, never>>();
});
