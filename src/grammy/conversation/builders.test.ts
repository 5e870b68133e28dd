import { Api, Context } from "grammy";
import { expect, test } from "vitest";
import { callbackQuery, command, filter, hears, on } from "./builders.ts";
import type { Handler } from "./handler.ts";

const ME = { id: 1, is_bot: true, first_name: "bot", username: "test_bot" } as never;

function contextOf(update: object): Context {
  return new Context({ update_id: 1, ...update } as never, new Api("1:x"), ME);
}

function message(text: string): Context {
  const entities = text.startsWith("/") ? [{ type: "bot_command", offset: 0, length: text.length }] : undefined;
  return contextOf({ message: { message_id: 1, date: 0, text, entities, chat: { id: 5, type: "private" } } });
}

const press = contextOf({ callback_query: { id: "1", from: { id: 5 }, chat_instance: "1", data: "yes" } });

const HANDLERS: readonly (readonly [name: string, handler: Handler<Context, string>, takes: Context, not: Context])[] =
  [
    ["command", command("go", () => "A"), message("/go"), message("/stop")],
    ["commands", command(["go", "run"], () => "A"), message("/run"), message("run")],
    ["on", on("message:text", () => "A"), message("hello"), press],
    ["on several", on(["message:photo", "callback_query:data"], () => "A"), press, message("hello")],
    ["hears", hears(/^\d+$/, () => "A"), message("12"), message("twelve")],
    ["callbackQuery", callbackQuery("yes", () => "A"), press, message("yes")],
    [
      "filter",
      filter(
        async (ctx) => ctx.msg?.text === "hello",
        () => "A",
      ),
      message("hello"),
      message("bye"),
    ],
  ];

test.each(HANDLERS)("%s takes what the bot's method takes", async (_, handler, takes, not) => {
  expect(await handler.check(takes)).toBe(true);
  expect(await handler.check(not)).toBe(false);
  expect(await handler.callback(takes, true as never)).toBe("A");
});

test("a handler knows the kinds of updates that it can take", () => {
  expect(on(["message:text", "edit:photo", ":caption", "inline_query"], () => {}).updates).toEqual([
    "message",
    "edited_message",
    "edited_channel_post",
    "message",
    "channel_post",
    "inline_query",
  ]);
  expect(
    filter(
      () => true,
      () => {},
    ).updates,
  ).toBeUndefined();
});

test("an option says whether it blocks", () => {
  expect(command("go", () => {}, { block: false }).block).toBe(false);
  expect(command("go", () => {}).block).toBeUndefined();
});
