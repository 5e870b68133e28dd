import { existsSync } from "node:fs";
import fc from "fast-check";
import { InlineKeyboard, webhookCallback, type ApiClientOptions } from "grammy";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { END, InvalidCallbackData, callbackData, command, dataButton } from "../src/index.ts";
import { makeApp, textUpdate, type MadeApp, type MyOptions } from "./support/made-app.ts";
import { query } from "./support/read-file.ts";
import { pressUpdate, ScriptedTelegram } from "./support/scripted-telegram.ts";
import { withCode } from "./support/with-code.ts";
import { DrivenClock, isSettled, settled } from "./support/driven-clock.ts";

interface Setting extends MadeApp {
  readonly telegram: ScriptedTelegram;
  /** What `ctx.callbackData` was, press by press. */
  readonly pressed: unknown[];
}

function setUp(options: Partial<MyOptions> = {}, client: ApiClientOptions = {}): Setting {
  const telegram = new ScriptedTelegram();
  const made = makeApp(options, telegram.config(client));
  const pressed: unknown[] = [];
  made.bot.on("callback_query", (ctx, next) => {
    pressed.push(ctx.callbackData);
    return next();
  });
  return { ...made, telegram, pressed };
}

const keyboardOf = (...values: unknown[]): InlineKeyboard =>
  new InlineKeyboard().add(...values.map((value, n) => dataButton(`Button ${n}`, value)));

const keyboards = (path: string): unknown[] => query(path, "select id from keyboard");

test("a button carries any value and gives it back", async () => {
  const { bot, telegram, pressed } = setUp();
  const value = { id: 17n, when: new Date(5), tags: new Set(["a"]), long: "x".repeat(1000) };
  bot.command("menu", (ctx) => ctx.reply("Menu", { reply_markup: keyboardOf(value, "short", null, 0, false, "") }));
  await bot.handleUpdate(textUpdate("/menu"));
  for (const data of telegram.data()) await bot.handleUpdate(pressUpdate(data));
  expect(pressed).toEqual([value, "short", null, 0, false, ""]);
});

describe("sending", () => {
  test("168: a token is 64 digits, the keyboard's and the button's; the caller's objects stay as they were", async () => {
    const { bot, telegram, path } = setUp();
    const keyboard = keyboardOf("a", "b").url("Help", "https://example.org");
    const before = structuredClone(keyboard.inline_keyboard.flat().map((button) => ({ ...button })));
    bot.command("menu", async (ctx) => {
      const options = Object.freeze({ reply_markup: Object.freeze(keyboard) });
      await ctx.reply("Menu", options);
      await ctx.reply("Again", options);
    });
    await bot.handleUpdate(textUpdate("/menu"));
    expect(structuredClone(keyboard.inline_keyboard.flat().map((button) => ({ ...button })))).toEqual(before);
    const [first, second] = telegram.data();
    expect([first?.length, first?.slice(0, 32)]).toEqual([64, second?.slice(0, 32)]);
    expect(keyboards(path)).toHaveLength(2);
    expect(telegram.data(1)[0]?.slice(0, 32)).not.toBe(first?.slice(0, 32));
    const rows = query(path, "select data from keyboard");
    expect(Object.keys(JSON.parse(String(rows[0]?.["data"])) as object)).toHaveLength(2);
  });

  test("167: other buttons and keyboards without data buttons go as they are", async () => {
    const { bot, telegram, path } = setUp();
    const plain = new InlineKeyboard().text("Plain", "plain").url("Url", "https://example.org");
    bot.command("menu", async (ctx) => {
      await ctx.reply("Plain", { reply_markup: plain });
      await ctx.reply("Mixed", { reply_markup: plain.clone().add(dataButton("Data", 1)) });
    });
    await bot.handleUpdate(textUpdate("/menu"));
    const [first, mixed] = telegram.of("sendMessage").map(({ reply_markup: markup }) => markup as InlineKeyboard);
    expect(first?.inline_keyboard).toEqual(plain.inline_keyboard);
    expect(mixed?.inline_keyboard.flat().slice(0, 2)).toEqual(plain.inline_keyboard.flat());
    expect(keyboards(path)).toHaveLength(1);
  });

  test("labels with styles, InlineKeyboard's own, and arrays", async () => {
    const { bot, telegram, pressed } = setUp();
    bot.command("menu", async (ctx) => {
      const keyboard = new InlineKeyboard()
        .add(dataButton({ text: "A", style: "danger" }, 1))
        .add(dataButton("B", 2))
        .success();
      await ctx.reply("Menu", { reply_markup: keyboard });
      await bot.api.raw.sendMessage({
        chat_id: 5,
        text: "Menu",
        reply_markup: { inline_keyboard: [[dataButton("C", 3)]] },
      });
    });
    await bot.handleUpdate(textUpdate("/menu"));
    const [{ reply_markup: markup } = {}] = telegram.of("sendMessage");
    expect((markup as InlineKeyboard).inline_keyboard[0]).toMatchObject([{ style: "danger" }, { style: "success" }]);
    for (const data of [...telegram.data(1), ...telegram.data()]) await bot.handleUpdate(pressUpdate(data));
    expect(pressed).toEqual([1, 2, 3]);
  });

  test("in inline results, of a query, a web app and a prepared message", async () => {
    const { bot, telegram, pressed } = setUp();
    const result = (value: string): never =>
      ({
        type: "article",
        id: "1",
        title: "t",
        input_message_content: { message_text: "m" },
        reply_markup: keyboardOf(value),
      }) as never;
    bot.command("inline", async (ctx) => {
      await ctx.api.answerInlineQuery("q", [result("a"), result("b")]);
      await ctx.api.answerWebAppQuery("w", result("c"));
      await ctx.api.savePreparedInlineMessage(5, result("d"));
    });
    await bot.handleUpdate(textUpdate("/inline"));
    const data = [3, 2, 1, 0].map((before) => telegram.data(before)[0] ?? "");
    for (const token of data) await bot.handleUpdate(pressUpdate(token, { inline: "AAA" }));
    expect(pressed).toEqual(["a", "b", "c", "d"]);
  });

  test("a value that cannot be kept is an error that names the button, before anything is sent", async () => {
    const { bot, telegram, path } = setUp();
    const errors: unknown[] = [];
    bot.command("menu", async (ctx) => {
      const bad = keyboardOf({ fine: 1 }, { cart: [0, { save: () => {} }] });
      await ctx.reply("Menu", { reply_markup: bad }).catch((error: unknown) => void errors.push(error));
      await ctx.reply("Menu", { reply_markup: keyboardOf("fine") });
    });
    await bot.handleUpdate(textUpdate("/menu"));
    expect(errors).toEqual([withCode("PERDURE_CANNOT_KEEP")]);
    expect(String(errors[0])).toContain('dataButton("Button 1").cart[1].save: a function cannot be kept');
    expect(String(errors[0])).toContain("(sendMessage, reply_markup.inline_keyboard[0][1])");
    expect(telegram.of("sendMessage")).toHaveLength(1);
    expect(keyboards(path)).toHaveLength(1);
    expect(() => dataButton("x", undefined)).toThrow(TypeError);
  });

  test("past the application, Telegram refuses the button instead of showing one that does nothing", () => {
    const { callback_data: data } = dataButton("x", 1);
    expect(Buffer.byteLength(data)).toBeGreaterThan(64);
  });

  test("a handler that rolls back leaves nothing, and its buttons are answered politely", async () => {
    const { bot, telegram, path, pressed } = setUp();
    bot.command("menu", async (ctx) => {
      await ctx.reply("Menu", { reply_markup: keyboardOf("x") });
      throw new Error("no");
    });
    await expect(bot.handleUpdate(textUpdate("/menu"))).rejects.toThrow("no");
    expect(keyboards(path)).toEqual([]);
    await bot.handleUpdate(pressUpdate(telegram.data()[0] ?? ""));
    expect(pressed).toEqual([expect.any(InvalidCallbackData)]);
    expect(telegram.of("answerCallbackQuery")).toMatchObject([{ text: "This button is no longer valid." }]);
  });

  test("what Telegram refuses leaves nothing; what may have arrived stays", async () => {
    const { bot, telegram, path, pressed } = setUp();
    bot.on("message:text", async (ctx) => {
      await ctx.reply("Menu", { reply_markup: keyboardOf(ctx.msg.text) }).catch(() => {});
    });
    telegram.script = () => ({ ok: false, error_code: 400, description: "no" });
    await bot.handleUpdate(textUpdate("refused"));
    await bot.api.sendMessage(5, "Menu", { reply_markup: keyboardOf("outside") }).catch(() => {});
    expect(keyboards(path)).toEqual([]);
    telegram.script = () => ({ ok: false, error_code: 502, description: "bad gateway" });
    await bot.handleUpdate(textUpdate("gateway"));
    telegram.script = () => {
      throw new Error("connection reset");
    };
    await bot.handleUpdate(textUpdate("network"));
    await bot.api.sendMessage(5, "Menu", { reply_markup: keyboardOf("outside") }).catch(() => {});
    telegram.script = () => undefined;
    for (const before of [2, 1, 0]) await bot.handleUpdate(pressUpdate(telegram.data(before)[0] ?? ""));
    expect(pressed).toEqual(["gateway", "network", "outside"]);
  });

  test("a press before the commit waits for it", async () => {
    const { bot, telegram, pressed } = setUp();
    const gate = Promise.withResolvers<void>();
    bot.command("menu", async (ctx) => {
      await ctx.api.sendMessage(-2, "Menu", { reply_markup: keyboardOf("x") });
      await gate.promise;
    });
    const sending = bot.handleUpdate(textUpdate("/menu"));
    while (telegram.data().length === 0) await settled(1);
    const pressing = bot.handleUpdate(pressUpdate(telegram.data()[0] ?? "", { chat: -2, user: 8 }));
    expect(await isSettled(pressing)).toBe(false);
    gate.resolve();
    await Promise.all([sending, pressing]);
    expect(pressed).toEqual(["x"]);
  });

  test("without await it is found, and nothing is kept", async () => {
    const { bot, path } = setUp();
    bot.command("menu", (ctx) => void ctx.reply("Menu", { reply_markup: keyboardOf("x") }));
    await expect(bot.handleUpdate(textUpdate("/menu"))).rejects.toHaveProperty("error", withCode("PERDURE_UNIT_OVER"));
    await settled();
    expect(keyboards(path)).toEqual([]);
  });

  test("belongs to the unit of work in which it was made, else to the one that sends it, else to one of its own", async () => {
    const { bot, app, telegram, path } = setUp();
    const fixed = keyboardOf("made outside");
    await bot.api.sendMessage(5, "a commit of its own", { reply_markup: fixed });
    expect(keyboards(path)).toHaveLength(1);
    const counts: number[] = [];
    const count = (): unknown => counts.push(keyboards(path).length);
    bot.command("menu", async (ctx) => {
      await ctx.reply("with this update", { reply_markup: fixed });
      await bot.api.sendMessage(5, "likewise", { reply_markup: keyboardOf("x") });
      count();
      ctx.afterCommit(async () => {
        count();
        await ctx.reply("after it, on its own", { reply_markup: keyboardOf("x") });
        count();
      });
    });
    await bot.handleUpdate(textUpdate("/menu"));
    await app.transaction({ chats: [-1] }, async (tx) => {
      await tx.api.sendMessage(-1, "with the transaction", { reply_markup: keyboardOf("x") });
      count();
    });
    count();
    expect(counts).toEqual([1, 3, 4, 4, 5]);
    expect(telegram.of("sendMessage")).toHaveLength(5);
  });

  test("also where a transformer makes the call later, out of its unit of work", async () => {
    const { bot, path } = setUp();
    const queue: (() => void)[] = [];
    bot.api.config.use(async (prev, method, payload, signal) => {
      await new Promise<void>((resolve) => queue.push(resolve));
      return prev(method, payload, signal);
    });
    const fixed = keyboardOf("made outside");
    bot.command("menu", async (ctx) => {
      await ctx.reply("Menu", { reply_markup: fixed });
      throw new Error("no");
    });
    const handling = bot.handleUpdate(textUpdate("/menu"));
    while (queue.length === 0) await settled(1);
    queue.shift()?.();
    await expect(handling).rejects.toThrow("no");
    expect(keyboards(path)).toEqual([]);
  });

  test("a button that another update sends while its maker runs is kept with the one that sends it", async () => {
    const { bot, path } = setUp();
    let cached: InlineKeyboard | undefined;
    const gate = Promise.withResolvers<void>();
    bot.command("first", async () => {
      cached = keyboardOf("x");
      await gate.promise;
      throw new Error("no");
    });
    bot.command("second", (ctx) => ctx.reply("Menu", { reply_markup: cached as InlineKeyboard }));
    const first = bot.handleUpdate(textUpdate("/first"));
    await settled();
    await bot.handleUpdate(textUpdate("/second", { chat: -2, user: 8 }));
    gate.resolve();
    await expect(first).rejects.toThrow("no");
    expect(keyboards(path)).toHaveLength(1);
  });

  test("and its maker need not wait for that call", async () => {
    const { bot, telegram, path } = setUp();
    let cached: InlineKeyboard | undefined;
    const gate = Promise.withResolvers<void>();
    const sending = Promise.withResolvers<void>();
    bot.command("first", async () => {
      cached = keyboardOf("x");
      await gate.promise;
    });
    bot.command("second", (ctx) => ctx.reply("Menu", { reply_markup: cached as InlineKeyboard }));
    const first = bot.handleUpdate(textUpdate("/first"));
    await settled();
    telegram.script = async () => (await sending.promise, undefined);
    const second = bot.handleUpdate(textUpdate("/second", { chat: -2, user: 8 }));
    while (telegram.calls.length === 0) await settled(1);
    gate.resolve();
    await first;
    sending.resolve();
    await second;
    expect(keyboards(path)).toHaveLength(1);
  });
});

describe("pressing", () => {
  test("170: what is changed in a value in place is kept, in the commit of the update", async () => {
    const { bot, telegram, path } = setUp();
    bot.command("count", (ctx) => ctx.reply("Count", { reply_markup: keyboardOf({ n: 0 }) }));
    bot.on("callback_query", (ctx) => {
      const data = ctx.callbackData as { n: number };
      data.n += 1;
      if (data.n === 3) throw new Error("no");
    });
    await bot.handleUpdate(textUpdate("/count"));
    const [data = ""] = telegram.data();
    for (let n = 0; n < 2; n += 1) await bot.handleUpdate(pressUpdate(data));
    await expect(bot.handleUpdate(pressUpdate(data))).rejects.toThrow("no");
    expect(query(path, "select data from keyboard")).toEqual([{ data: `{"${data.slice(32)}":{"n":2}}` }]);
  });

  test("data of others is no callback data", async () => {
    const { bot, telegram, pressed } = setUp();
    for (const data of ["plain", "", "menu/0/1//hash", "f".repeat(64), "é".repeat(32), "\0".repeat(64)]) {
      await bot.handleUpdate(pressUpdate(data));
    }
    await bot.handleUpdate(textUpdate("no press"));
    expect(pressed).toEqual(Array.from({ length: 6 }, () => undefined));
    expect(telegram.calls).toEqual([]);
  });

  test("173: what is not there is InvalidCallbackData with the raw data, and is answered if nobody has", async () => {
    const { bot, telegram, pressed } = setUp();
    const answers = ["by the handler", undefined];
    bot.on("callback_query", async (ctx) => {
      const text = answers.shift();
      if (text !== undefined) await ctx.answerCallbackQuery(text);
    });
    bot.command("menu", (ctx) => ctx.reply("Menu", { reply_markup: keyboardOf("x") }));
    await bot.handleUpdate(textUpdate("/menu"));
    const [data = ""] = telegram.data();
    const forged = data.slice(0, 63) + (data.endsWith("0") ? "1" : "0");
    await bot.handleUpdate(pressUpdate(forged));
    await bot.handleUpdate(pressUpdate(forged));
    expect(telegram.of("answerCallbackQuery")).toMatchObject([
      { text: "by the handler" },
      { text: "This button is no longer valid." },
    ]);
    const [invalid] = pressed as [InvalidCallbackData];
    expect(invalid).toMatchObject({ code: "PERDURE_INVALID_CALLBACK_DATA", callbackData: forged });
    expect(invalid.message).toBe(
      "The object belonging to this callback_data was deleted or the callback_data was manipulated.",
    );
  });

  test("onInvalidCallbackData stands in for the answer, in the same unit of work", async () => {
    const { bot, telegram } = setUp({
      onInvalidCallbackData: async (ctx) => {
        ctx.chatData.log.push((ctx.callbackData as InvalidCallbackData).callbackData);
        await ctx.answerCallbackQuery("Ask for a new menu.");
      },
    });
    const logs: unknown[] = [];
    bot.on("message", (ctx) => void logs.push(...ctx.chatData.log));
    const invalid = "123456789abc8def8123456789abcdef123456789abc8def8123456789abcdef";
    await bot.handleUpdate(pressUpdate(invalid));
    await bot.handleUpdate(textUpdate("look"));
    expect(logs).toEqual([invalid]);
    expect(telegram.of("answerCallbackQuery")).toMatchObject([{ text: "Ask for a new menu." }]);
  });

  test("a query that is too old to be answered is no error of its update", async () => {
    const { bot, telegram } = setUp();
    telegram.script = () => ({ ok: false, error_code: 400, description: "query is too old" });
    await bot.handleUpdate(pressUpdate("123456789abc8def8123456789abcdef123456789abc8def8123456789abcdef"));
    expect(telegram.of("answerCallbackQuery")).toHaveLength(1);
  });

  test("171, 172: the values of all buttons of a message, and of what it replies to, of one's own messages only", async () => {
    const { bot, telegram } = setUp();
    bot.command("menu", (ctx) =>
      ctx.reply("Menu", {
        reply_markup: keyboardOf({ n: 1 }, 2).text("Plain", "plain").row().url("u", "https://example.org"),
      }),
    );
    await bot.handleUpdate(textUpdate("/menu"));
    const markup = telegram.of("sendMessage")[0]?.["reply_markup"];
    const forged = { inline_keyboard: [[{ text: "x", callback_data: "123456789abc8def8123456789abcdef".repeat(2) }]] };
    const own = { id: 1 };
    const rows: unknown[] = [];
    bot.on("callback_query", async (ctx) => {
      const { message } = ctx.callbackQuery;
      if (message !== undefined) rows.push(await ctx.callbackDataIn(message));
      for (const sender of [{ from: own }, { from: { id: 99 } }, { from: { id: 5 }, via_bot: own }, {}]) {
        rows.push(await ctx.callbackDataIn({ ...sender, reply_markup: markup }));
        rows.push(await ctx.callbackDataIn({ ...sender, reply_markup: forged }));
      }
      rows.push(await ctx.callbackDataIn({ from: own }));
    });
    await bot.handleUpdate(pressUpdate(telegram.data()[0] ?? "", { markup }));
    const values = [[{ n: 1 }, 2, undefined], [undefined]];
    const nothing = [[undefined, undefined, undefined], [undefined]];
    const invalid = [[expect.any(InvalidCallbackData)]];
    expect(rows).toEqual([values, values, invalid, nothing, [[undefined]], values, invalid, values, [[undefined]], []]);
  });

  test("a record that cannot be decoded is an error for the handler that reads it", async () => {
    const { bot, telegram, path } = setUp();
    bot.command("menu", (ctx) => ctx.reply("Menu", { reply_markup: keyboardOf("x") }));
    await bot.handleUpdate(textUpdate("/menu"));
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(path);
    database.exec(`update keyboard set data = '{"$type":"Gone"'`);
    database.close();
    await expect(bot.handleUpdate(pressUpdate(telegram.data()[0] ?? ""))).rejects.toHaveProperty(
      "error",
      withCode("PERDURE_CANNOT_DECODE"),
    );
  });
});

test("sent by a job, in the job's commit", async () => {
  const clock = new DrivenClock();
  const { bot, app, telegram, path, pressed } = setUp({ clock });
  const remind = app.jobQueue.define<string>("remind", async (ctx) => {
    await ctx.api.sendMessage(-1, "Done?", { reply_markup: keyboardOf(ctx.job.data) });
    if (ctx.job.data === "fails") throw new Error("no");
  });
  bot.command("remind", async (ctx) => {
    await ctx.jobQueue.runOnce(remind, "1m", { data: "tea" });
    await ctx.jobQueue.runOnce(remind, "2m", { data: "fails" });
  });
  await bot.handleUpdate(textUpdate("/remind"));
  await clock.advance(3 * 60_000);
  expect([telegram.of("sendMessage").length, keyboards(path).length]).toEqual([2, 1]);
  await bot.handleUpdate(pressUpdate(telegram.data(1)[0] ?? ""));
  expect(pressed).toEqual(["tea"]);
});

test("by webhook, also where the call is the answer to the request", async () => {
  const { bot, telegram, pressed } = setUp({}, { canUseWebhookReply: (method: string) => method === "sendMessage" });
  bot.command("menu", (ctx) => ctx.reply("Menu", { reply_markup: keyboardOf("x") }));
  const answer = webhookCallback(bot, "std/http") as unknown as (request: Request) => Promise<Response>;
  const request = (update: unknown): Request =>
    new Request("http://localhost/", { method: "POST", body: JSON.stringify(update) });
  const response = await answer(request(textUpdate("/menu")));
  const { reply_markup: markup } = (await response.json()) as { reply_markup: InlineKeyboard };
  const [button] = markup.inline_keyboard.flat() as { callback_data: string }[];
  await answer(request(pressUpdate(button?.callback_data ?? "")));
  expect([telegram.of("sendMessage"), pressed]).toEqual([[], ["x"]]);
});

test("callbackData takes what its guard or schema takes, and passes on the rest", async () => {
  const { bot, telegram } = setUp();
  const taken: unknown[] = [];
  const schema = v.object({ id: v.pipe(v.string(), v.transform(Number)) });
  bot.command("menu", (ctx) => ctx.reply("Menu", { reply_markup: keyboardOf("text", { id: "17" }, 5, null) }));
  bot.use(
    callbackData(
      (value) => typeof value === "string",
      (ctx, value) => void taken.push(["guard", value, ctx.callbackData]),
    ),
  );
  bot.use(callbackData(schema, (ctx, value) => void taken.push(["schema", value, ctx.callbackData])));
  bot.use(
    callbackData(
      (value) => value instanceof InvalidCallbackData,
      (_, { callbackData: data }) => void taken.push(["invalid", data.length]),
    ),
  );
  bot.on("callback_query", (ctx) => void taken.push(["passed on", ctx.callbackData]));
  await bot.handleUpdate(textUpdate("/menu"));
  for (const data of telegram.data()) await bot.handleUpdate(pressUpdate(data));
  await bot.handleUpdate(pressUpdate("plain"));
  await bot.handleUpdate(pressUpdate(`${telegram.data()[0]?.slice(0, 56)}00000000`));
  expect(taken).toEqual([
    ["guard", "text", "text"],
    ["schema", { id: 17 }, { id: "17" }],
    ["passed on", 5],
    ["passed on", null],
    ["passed on", undefined],
    ["invalid", 64],
  ]);
  expect(() => callbackData({} as never, () => {})).toThrow(TypeError);
});

test("as a handler of a conversation, whose state and keyboards are one commit", async () => {
  const { bot, app, telegram, path } = setUp();
  const handled: unknown[] = [];
  const order = app.conversation({
    name: "order",
    persistent: true,
    entryPoints: [
      command("order", async (ctx) => {
        await ctx.reply("Size?", { reply_markup: keyboardOf("L", 5) });
        return "SIZE";
      }),
    ],
    states: {
      SIZE: [
        callbackData(
          (value) => typeof value === "string",
          (ctx, size) => {
            handled.push(size);
            ctx.chatData.log.push(size);
            return END;
          },
        ),
      ],
    },
    fallbacks: [],
  });
  bot.use(order);
  bot.on("callback_query", (ctx) => void handled.push(["passed on", ctx.callbackData]));
  await bot.handleUpdate(textUpdate("/order"));
  expect([keyboards(path).length, query(path, "select * from conversation").length]).toEqual([1, 1]);
  const [large = "", five = ""] = telegram.data();
  for (const data of [five, large, large]) await bot.handleUpdate(pressUpdate(data));
  expect(handled).toEqual([["passed on", 5], "L", ["passed on", "L"]]);
});

test("fuzzed and forged data: nothing is thrown, nothing resolved, nothing kept", async () => {
  const { bot, telegram, path, pressed } = setUp();
  bot.command("menu", (ctx) => ctx.reply("Menu", { reply_markup: keyboardOf("secret", "other") }));
  await bot.handleUpdate(textUpdate("/menu"));
  const [own = "", other = ""] = telegram.data();
  const before = query(path, "select * from keyboard");
  const forge = fc.oneof(
    fc.string({ maxLength: 64 }),
    fc.string({ unit: "binary", maxLength: 64 }),
    fc.constantFrom(
      "__proto__".padEnd(64, "0"),
      "constructor",
      own.slice(1),
      own.toUpperCase(),
      other.slice(32) + own.slice(0, 32),
    ),
    fc
      .tuple(
        fc.nat(63),
        fc.nat(15).map((digit) => digit.toString(16)),
      )
      .map(([at, digit]) => own.slice(0, at) + digit + own.slice(at + 1)),
    fc.nat(63).map((at) => own.slice(0, at) + other.slice(at)),
  );
  const forged = fc.sample(forge, { numRuns: 120, seed: 17 }).filter((data) => data !== own && data !== other);
  for (const data of forged) await bot.handleUpdate(pressUpdate(data));
  expect(pressed.filter((value) => value !== undefined && !(value instanceof InvalidCallbackData))).toEqual([]);
  expect(pressed.length).toBe(forged.length);
  expect(query(path, "select * from keyboard")).toEqual(before);
});

describe("removing", () => {
  async function sent(setting: Setting): Promise<{ data: string; message: number; markup: unknown }> {
    await setting.bot.handleUpdate(textUpdate("/menu"));
    const { telegram } = setting;
    return { data: telegram.data()[0] ?? "", message: 1000 + telegram.of("sendMessage").length, markup: undefined };
  }

  function withMenu(): Setting {
    const setting = setUp();
    setting.bot.command("menu", (ctx) => ctx.reply("Menu", { reply_markup: keyboardOf("x") }));
    return setting;
  }

  const rows = (path: string): unknown[] => [...keyboards(path), ...query(path, "select id from callback_query")];

  test("174: dropCallbackData removes the keyboard; the value stays in hand, another time it is an error", async () => {
    const setting = withMenu();
    const { bot, app, path, pressed } = setting;
    const values: unknown[] = [];
    bot.on("callback_query", async (ctx) => {
      await ctx.dropCallbackData();
      values.push(ctx.callbackData);
    });
    const { data, message } = await sent(setting);
    await bot.handleUpdate(pressUpdate(data, { message }));
    expect([values, rows(path)]).toEqual([["x"], []]);
    await expect(bot.handleUpdate(pressUpdate(data, { message }))).rejects.toHaveProperty(
      "error",
      expect.any(InvalidCallbackData),
    );
    expect(pressed[1]).toBeInstanceOf(InvalidCallbackData);
    const { data: next } = await sent(setting);
    await app.dropCallbackData({ data: next } as never);
    await expect(app.dropCallbackData({ data: next } as never)).rejects.toThrow(
      withCode("PERDURE_INVALID_CALLBACK_DATA"),
    );
    expect(keyboards(path)).toEqual([]);
  });

  test("and not if the handler fails", async () => {
    const setting = withMenu();
    const { bot, path } = setting;
    bot.on("callback_query", async (ctx) => {
      await ctx.dropCallbackData();
      throw new Error("no");
    });
    const { data, message } = await sent(setting);
    await expect(bot.handleUpdate(pressUpdate(data, { message }))).rejects.toThrow("no");
    expect(rows(path)).toHaveLength(2);
  });

  test("of two presses at once, the second one sees what the first has dropped", async () => {
    const setting = withMenu();
    const { bot, pressed } = setting;
    bot.on("callback_query", async (ctx) => {
      if (!(ctx.callbackData instanceof InvalidCallbackData)) await ctx.dropCallbackData();
      await settled();
    });
    const { data } = await sent(setting);
    const presses = [1, 2, 3].map((user) => bot.handleUpdate(pressUpdate(data, { user, inline: "i" })));
    await Promise.all(presses);
    expect(pressed).toEqual(["x", expect.any(InvalidCallbackData), expect.any(InvalidCallbackData)]);
  });

  test.each([
    ["deleteMessage", (s: Setting, message: number) => s.bot.api.deleteMessage(-1, message)],
    ["deleteMessages", (s: Setting, message: number) => s.bot.api.deleteMessages(-1, [1, message])],
    ["editMessageText", (s: Setting, message: number) => s.bot.api.editMessageText(-1, message, "Done")],
    [
      "editMessageReplyMarkup",
      (s: Setting, message: number) =>
        s.bot.api.editMessageReplyMarkup(-1, message, { reply_markup: new InlineKeyboard().text("x", "plain") }),
    ],
    ["stopPoll", (s: Setting, message: number) => s.bot.api.stopPoll(-1, message)],
  ])("%s removes the keyboard of the message, and no other", async (_, take) => {
    const setting = withMenu();
    const { bot, path, app } = setting;
    const { message } = await sent(setting);
    await sent(setting);
    bot.hears("take", async () => {
      await take(setting, message);
      throw new Error("what Telegram has done is done");
    });
    await expect(bot.handleUpdate(textUpdate("take"))).rejects.toThrow("done");
    await idle(app);
    expect(rows(path)).toHaveLength(2);
    await take(setting, message + 1);
    await idle(app);
    expect(rows(path)).toEqual([]);
  });

  test("in the handler of the press it is in the same commit; what is refused removes nothing", async () => {
    const setting = withMenu();
    const { bot, path, telegram, app } = setting;
    bot.on("callback_query", async (ctx) => {
      await ctx.deleteMessage().catch(() => {});
      expect(keyboards(path)).toHaveLength(1);
    });
    const { data, message } = await sent(setting);
    telegram.script = () => ({ ok: false, error_code: 400, description: "no" });
    await bot.handleUpdate(pressUpdate(data, { message }));
    await idle(app);
    expect(rows(path)).toHaveLength(2);
    telegram.script = () => undefined;
    await bot.handleUpdate(pressUpdate(data, { message }));
    expect(rows(path)).toEqual([]);
  });

  test("a new keyboard takes the place of the old one: by the press, and from elsewhere", async () => {
    const setting = withMenu();
    const { bot, path, telegram, app, pressed } = setting;
    bot.on("callback_query", (ctx) => ctx.editMessageText("Next", { reply_markup: keyboardOf("y") }));
    const { data, message } = await sent(setting);
    await bot.handleUpdate(pressUpdate(data, { message }));
    expect(rows(path)).toHaveLength(2);
    await bot.api.editMessageText(-1, message, "Again", { reply_markup: keyboardOf("z") });
    await idle(app);
    expect(rows(path)).toHaveLength(2);
    await bot.handleUpdate(pressUpdate(telegram.data()[0] ?? "", { message }));
    await bot.handleUpdate(pressUpdate(data, { message }));
    expect(pressed).toEqual(["x", "z", expect.any(InvalidCallbackData)]);
  });

  test("keyboards of inline results stay, since they may stand in many messages", async () => {
    const { bot, path, telegram, pressed, app } = setUp();
    const result = {
      type: "article",
      id: "1",
      title: "t",
      input_message_content: { message_text: "m" },
      reply_markup: keyboardOf("x"),
    };
    await bot.api.answerInlineQuery("q", [result as never]);
    const [data = ""] = telegram.data();
    bot.on("callback_query", (ctx) => ctx.editMessageText("Done"));
    for (const inline of ["one", "two"]) await bot.handleUpdate(pressUpdate(data, { inline }));
    await idle(app);
    expect(pressed).toEqual(["x", "x"]);
    expect(keyboards(path)).toHaveLength(1);
  });

  test("an inline message's keyboard goes when it is replaced", async () => {
    const { bot, path, app } = setUp();
    await bot.api.editMessageTextInline("AAA", "one", { reply_markup: keyboardOf("x") });
    expect(rows(path)).toHaveLength(2);
    await bot.api.editMessageTextInline("AAA", "two");
    await idle(app);
    expect(rows(path)).toEqual([]);
  });

  test("175: clearCallbackData removes all, also what the update itself has sent", async () => {
    const setting = withMenu();
    const { bot, app, path } = setting;
    for (let n = 0; n < 3; n += 1) await sent(setting);
    await app.clearCallbackData({ before: new Date(0) });
    expect(keyboards(path)).toHaveLength(3);
    bot.command("clear", async (ctx) => {
      await ctx.reply("Menu", { reply_markup: keyboardOf("y") });
      await app.clearCallbackData();
      expect(keyboards(path)).toHaveLength(3);
    });
    await bot.handleUpdate(textUpdate("/clear"));
    expect(keyboards(path)).toEqual([]);
    for (let n = 0; n < 3; n += 1) await sent(setting);
    await app.clearCallbackData({ before: Date.now() + 1000 });
    expect(keyboards(path)).toEqual([]);
    expect(() => app.clearCallbackData({ before: Number.NaN })).toThrow(TypeError);
  });

  test("the value stays in hand when the keyboard is dropped before it is read", async () => {
    const { bot, telegram } = setUp();
    const seen: unknown[] = [];
    bot.command("menu", (ctx) => ctx.reply("Menu", { reply_markup: keyboardOf("x") }));
    bot.on("callback_query", async (ctx) => {
      await ctx.dropCallbackData();
      seen.push(ctx.callbackData);
    });
    await bot.handleUpdate(textUpdate("/menu"));
    await bot.handleUpdate(pressUpdate(telegram.data()[0] ?? ""));
    expect(seen).toEqual(["x"]);
    expect(telegram.of("answerCallbackQuery")).toEqual([]);
  });

  test("and when the message is edited before it is read", async () => {
    const { bot, telegram } = setUp();
    const seen: unknown[] = [];
    bot.command("menu", (ctx) => ctx.reply("Menu", { reply_markup: keyboardOf("x") }));
    bot.on("callback_query", async (ctx) => {
      await ctx.editMessageText("Working");
      seen.push(ctx.callbackData);
    });
    await bot.handleUpdate(textUpdate("/menu"));
    await bot.handleUpdate(pressUpdate(telegram.data()[0] ?? ""));
    expect(seen).toEqual(["x"]);
  });

  test("received buttons that are sent again beside a new one stay", async () => {
    const { bot, app, telegram } = setUp();
    const seen: unknown[] = [];
    bot.command("menu", (ctx) => ctx.reply("Menu", { reply_markup: keyboardOf("x", "y") }));
    bot.on("callback_query", async (ctx) => {
      seen.push(ctx.callbackData);
      const [row = []] = ctx.callbackQuery.message?.reply_markup?.inline_keyboard ?? [];
      if (row.length > 0)
        await ctx.editMessageReplyMarkup({ reply_markup: { inline_keyboard: [row, [dataButton("more", "more")]] } });
    });
    await bot.handleUpdate(textUpdate("/menu"));
    const [{ reply_markup: markup } = {}] = telegram.of("sendMessage");
    const [x = "", y = ""] = telegram.data();
    await bot.handleUpdate(pressUpdate(x, { markup }));
    await idle(app);
    await bot.handleUpdate(pressUpdate(y));
    expect(seen).toEqual(["x", "y"]);
  });

  test("what Telegram is not sent is not looked at: a callback_data that is undefined", async () => {
    const { bot } = setUp();
    const button = { text: "x", url: "https://example.org", callback_data: undefined };
    const edit = bot.api.editMessageText(-1, 5, "x", { reply_markup: { inline_keyboard: [[button as never]] } });
    await expect(edit).resolves.toMatchObject({ message_id: 5 });
  });

  /** Two messages are pressed at once; each update edits its own, then the other's. What came of it: the errors. */
  async function editEachOther(markup: (value: string) => object): Promise<unknown> {
    const { bot, telegram, app, reported } = setUp();
    const errors: unknown[] = [];
    bot.command("menu", async (ctx) => {
      await ctx.reply("Menu", { reply_markup: keyboardOf("1001") });
      await ctx.api.sendMessage(-2, "Menu", { reply_markup: keyboardOf("1002") });
    });
    const both = Promise.withResolvers<void>();
    let n = 0;
    bot.on("callback_query", async (ctx) => {
      await ctx.editMessageText("mine", markup("n"));
      if ((n += 1) === 2) both.resolve();
      await both.promise;
      const own = ctx.callbackQuery.message?.message_id;
      if (own === 1001) await ctx.api.editMessageText(-2, 1002, "by 1", markup("o"));
      else await ctx.api.editMessageText(-1, 1001, "by 2", markup("o"));
    });
    await bot.handleUpdate(textUpdate("/menu"));
    const [b = ""] = telegram.data();
    const [a = ""] = telegram.data(1);
    await Promise.all([
      bot.handleUpdate(pressUpdate(a, { chat: -1, user: 1, message: 1001 })),
      bot.handleUpdate(pressUpdate(b, { chat: -2, user: 2, message: 1002 })),
    ]).catch((e) => errors.push(String(e)));
    await idle(app);
    return [errors, reported];
  }

  test("two updates that edit each other's messages do not wait for each other", async () => {
    expect(await editEachOther(() => ({}))).toEqual([[], []]);
  });

  test("nor if they give them new keyboards", async () => {
    expect(await editEachOther((value) => ({ reply_markup: keyboardOf(value) }))).toEqual([[], []]);
  });

  test("a keyboard that came while another removal was waited for stays", async () => {
    const { bot, app, telegram } = setUp();
    const seen: unknown[] = [];
    bot.command("menu", (ctx) => ctx.reply("Menu", { reply_markup: keyboardOf("x") }));
    const gate = Promise.withResolvers<void>();
    bot.on("callback_query", async (ctx) => {
      seen.push(ctx.callbackData);
      if (ctx.callbackData === "x") await gate.promise;
    });
    await bot.handleUpdate(textUpdate("/menu"));
    await bot.handleUpdate(textUpdate("/menu"));
    const pressing = bot.handleUpdate(pressUpdate(telegram.data()[0] ?? "", { message: 1002, chat: -9 }));
    while (seen.length === 0) await settled(1);
    await bot.api.editMessageText(-1, 1002, "other");
    await settled();
    await bot.api.editMessageText(-1, 1001, "wait");
    await bot.api.editMessageText(-1, 1001, "new", { reply_markup: keyboardOf("new") });
    await settled();
    gate.resolve();
    await pressing;
    await idle(app);
    await bot.handleUpdate(pressUpdate(telegram.data()[0] ?? "", { message: 1001 }));
    expect(seen).toEqual(["x", "new"]);
  });

  test("an edit that a transformer makes in the midst of another update does not keep that from ending", async () => {
    const { bot, telegram, reported } = setUp();
    const queue: (() => void)[] = [];
    bot.api.config.use((prev, method, payload, signal) =>
      method === "editMessageText"
        ? new Promise((resolve, reject) => queue.push(() => void prev(method, payload, signal).then(resolve, reject)))
        : prev(method, payload, signal),
    );
    let ticks = 0;
    const failures: string[] = [];
    bot.on("message:text", (ctx) => ctx.reply("Menu", { reply_markup: keyboardOf(ctx.msg.text) }));
    bot.on("callback_query", async (ctx) => {
      if (ctx.callbackData === "a") await ctx.editMessageText("done");
      else {
        queue.shift()?.();
        for (let n = 0; n < ticks; n += 1) await Promise.resolve();
      }
    });
    for (; ticks < 16; ticks += 1) {
      await bot.handleUpdate(textUpdate("a"));
      const message = 1000 + telegram.of("sendMessage").length;
      const [a = ""] = telegram.data();
      await bot.handleUpdate(textUpdate("b"));
      const [b = ""] = telegram.data();
      const first = bot.handleUpdate(pressUpdate(a, { chat: -1, message }));
      while (queue.length === 0) await settled(1);
      const second = bot.handleUpdate(pressUpdate(b, { chat: -2, user: 8, message: message + 1 }));
      await Promise.all([first, second]).catch((e) => failures.push(`${ticks} ${String(e)}`));
      await settled();
    }
    expect([failures, reported]).toEqual([[], []]);
  });

  test("a call alone opens nothing", async () => {
    const { bot, path } = setUp();
    await bot.api.deleteMessage(-1, 5);
    await settled();
    expect(existsSync(path)).toBe(false);
  });
});

/** What goes on beside units of work. */
async function idle(app: MadeApp["app"]): Promise<void> {
  for (let n = 0; n < 5; n += 1) {
    await settled();
    await app.updatePersistence();
  }
}
