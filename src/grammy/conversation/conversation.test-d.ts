import { Bot, Composer, type Context } from "grammy";
import { describe, expectTypeOf, test } from "vitest";
import type { PersistentContext } from "../context.ts";
import { END, TIMEOUT, WAITING } from "../../conversation/special-states.ts";
import { command, on, filter, callbackQuery } from "./builders.ts";
import type { ConversationOptions, StateIn } from "./conversation-options.ts";
import type { NestedConversation, TimeoutContext } from "./handler.ts";

type My = PersistentContext<Context, { chat: { n: number } }> & { plugin: number };
interface CH<C extends Context, S, P> extends NestedConversation<C, P> {
  s: S;
}
declare function conv<const K extends string | number, const M extends string | number = never, const P = never>(
  o: ConversationOptions<My, K, M, P>,
): CH<My, StateIn<K>, P>;

describe("x", () => {
  test("y", () => {
    const s = conv({
      entryPoints: [
        command("a", async (ctx) => {
          expectTypeOf(ctx.match).toEqualTypeOf<string>();
          expectTypeOf(ctx.plugin).toEqualTypeOf<number>();
          await ctx.reply("x");
          return "NAME";
        }),
        command("b", (ctx) => ctx.reply("x")),
        command("c", () => {}),
        command("e", () => END),
        filter(
          (ctx) => ctx.chatData.n > 1,
          () => "AGE",
        ),
        callbackQuery("a", (ctx) => ctx.answerCallbackQuery()),
      ],
      states: {
        NAME: [
          on("message:text", async (ctx) => {
            ctx.chatData.n = ctx.msg.text.length;
            return "AGE";
          }),
        ],
        AGE: [on("message:text", (ctx) => (ctx.msg.text === "a" ? "AGE" : null)), new Composer<My>()],
        [TIMEOUT]: [
          on("message", (ctx) => {
            expectTypeOf(ctx.chatData.n).toEqualTypeOf<number>();
            // @ts-expect-error
            return ctx.plugin;
          }),
        ],
        [WAITING]: [
          on("message", (ctx) => {
            expectTypeOf(ctx.plugin).toEqualTypeOf<number>();
            return ctx.reply("wait");
          }),
        ],
      },
    });
    expectTypeOf(s.s).toEqualTypeOf<"NAME" | "AGE">();
    conv({
      // @ts-expect-error
      entryPoints: [command("a", () => "NAEM")],
      states: { NAME: [], AGE: [] },
    });
    conv({
      entryPoints: [command("a", () => "NAME")],
      states: {
        NAME: [
          // @ts-expect-error
          on("message:text", async () => "NAEM"),
        ],
        AGE: [],
      },
    });
    const child = conv({
      entryPoints: [command("a", () => "NAME")],
      states: { NAME: [on("message", () => "STOP"), on("message", () => END)] },
      mapToParent: { [END]: "PICK", STOP: END },
    });
    expectTypeOf(child).toEqualTypeOf<CH<My, "NAME", "PICK" | -1>>();
    conv({ entryPoints: [child], states: { PICK: [child], OTHER: [] } });
    // @ts-expect-error
    conv({ entryPoints: [child], states: { OTHER: [] } });
    const numbers = conv({ entryPoints: [command("a", () => 0)], states: { 0: [on("message", () => 1)], 1: [] } });
    expectTypeOf(numbers.s).toEqualTypeOf<0 | 1>();
    const tuples = conv({
      entryPoints: [command("a", () => ["A", 1]), command("b", () => "B")],
      states: new Map([[["A", 1], [on("message", () => END)]]]),
    });
    expectTypeOf(tuples.s).toEqualTypeOf<unknown>();
    expectTypeOf<TimeoutContext<My>["chatData"]>().toEqualTypeOf<{ n: number }>();
    new Bot<My>("x");
  });
});
