import { Bot, type CallbackQueryContext, type Context } from "grammy";
import * as v from "valibot";
import { expectTypeOf, test } from "vitest";
import {
  Application,
  callbackData,
  dataButton,
  InvalidCallbackData,
  SqlitePersistence,
  type Handler,
  type PersistentContext,
} from "../../index.ts";

interface Kept {
  chat: { orders: number[] };
}
type MyContext = PersistentContext<Context, Kept>;

interface Order {
  readonly id: number;
}
const isOrder = (value: unknown): value is Order => typeof value === "object" && value !== null && "id" in value;
const OrderSchema = v.object({ id: v.pipe(v.string(), v.transform(Number)) });

test("a type guard tells the type of the value, as middleware and in a conversation", () => {
  const bot = new Bot<MyContext>("1:x");
  bot.use(
    callbackData(isOrder, (ctx, order) => {
      expectTypeOf(order).toEqualTypeOf<Order>();
      expectTypeOf(ctx.callbackData).toEqualTypeOf<Order>();
      expectTypeOf(ctx.callbackQuery.data).toEqualTypeOf<string>();
      ctx.chatData.orders.push(order.id);
    }),
  );
  const states: readonly Handler<MyContext, "NEXT" | undefined>[] = [
    callbackData(isOrder, async (ctx, order) => {
      expectTypeOf(ctx).toExtend<CallbackQueryContext<MyContext>>();
      return order.id > 5 ? "NEXT" : undefined;
    }),
  ];
  expectTypeOf(states).toExtend<readonly unknown[]>();
  // @ts-expect-error: no such state
  const wrong: readonly Handler<MyContext, "NEXT" | undefined>[] = [callbackData(isOrder, async () => "NXET")];
  expectTypeOf(wrong).toExtend<readonly unknown[]>();
});

test("a schema tells what it takes and what it makes of it", () => {
  const bot = new Bot<MyContext>("1:x");
  bot.use(
    callbackData(OrderSchema, (ctx, order) => {
      expectTypeOf(order).toEqualTypeOf<{ id: number }>();
      expectTypeOf(ctx.callbackData).toEqualTypeOf<{ id: string }>();
      expectTypeOf(ctx.chatData.orders).toEqualTypeOf<number[]>();
    }),
  );
  // @ts-expect-error: neither a guard nor a schema
  expectTypeOf(callbackData({ id: 5 }, () => {})).toBeObject();
});

test("otherwise it is unknown; a data button is a button like others", () => {
  const bot = new Bot<MyContext>("1:x");
  bot.on("callback_query:data", (ctx) => {
    expectTypeOf(ctx.callbackData).toBeUnknown();
    if (ctx.callbackData instanceof InvalidCallbackData) expectTypeOf(ctx.callbackData.callbackData).toBeString();
  });
  bot.command("x", (ctx) => ctx.reply("x", { reply_markup: { inline_keyboard: [[dataButton("x", { id: 5 })]] } }));
});

test("the options", () => {
  new Application(new Bot<MyContext>("1:x"), {
    persistence: new SqlitePersistence({ path: "x" }),
    initial: { chat: () => ({ orders: [] }) },
    callbackData: { maxKeyboards: 5, ttl: "1d" },
    onInvalidCallbackData: (ctx) => {
      expectTypeOf(ctx.chatData.orders).toEqualTypeOf<number[]>();
    },
  });
});
