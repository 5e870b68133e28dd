import { InlineKeyboard, Keyboard } from "grammy";
import { expect, test } from "vitest";
import { dataButton } from "./data-button.ts";
import { drawTokens } from "./outgoing-call.ts";

const keyboard = (value: unknown): InlineKeyboard => new InlineKeyboard().add(dataButton("x", value));

test("tokens stand in every place, and the caller's objects are not touched", () => {
  const payload = Object.freeze({
    chat_id: 5,
    reply_markup: Object.freeze(keyboard(1)),
    result: Object.freeze({ id: "1", reply_markup: keyboard(2) }),
    results: Object.freeze([{ id: "2" }, Object.freeze({ id: "3", reply_markup: keyboard(3) })]),
  });
  const call = drawTokens(payload, 1, false);
  expect(call.keyboards.map(({ place, buttons }) => [place, buttons[0]?.path, buttons[0]?.data.value])).toEqual([
    ["reply_markup", "reply_markup.inline_keyboard[0][0]", 1],
    ["result.reply_markup", "result.reply_markup.inline_keyboard[0][0]", 2],
    ["results[].reply_markup", "results[1].reply_markup.inline_keyboard[0][0]", 3],
  ]);
  const sent = JSON.stringify(call.payload);
  for (const { id, buttons } of call.keyboards) expect(sent).toContain(`"callback_data":"${id}${buttons[0]?.id}"`);
  expect(sent).toContain('{"id":"2"}');
  expect(JSON.stringify(payload)).not.toContain(call.keyboards[0]?.id);
});

test("167: what has no data button is the same object", () => {
  const payloads = [
    {},
    { reply_markup: undefined, results: [], result: undefined },
    { reply_markup: new InlineKeyboard().text("x", "y"), results: [{ reply_markup: new InlineKeyboard() }] },
    { reply_markup: new Keyboard().text("x"), result: { id: "1", reply_markup: new InlineKeyboard().url("x", "y") } },
    { reply_markup: { remove_keyboard: true }, results: "none", result: null },
    // What Telegram will refuse is not for us to judge.
    { reply_markup: { inline_keyboard: [null, [undefined]] }, results: [null, 5] },
    { reply_markup: '{"inline_keyboard":[]}' },
  ];
  for (const payload of payloads) expect(drawTokens(payload, 1, false)).toEqual({ payload, keyboards: [] });
  for (const payload of payloads) expect(drawTokens(payload, 1, false).payload).toBe(payload);
});

test("a button that was styled or spread still carries its value; a sent one carries none", () => {
  const styled = new InlineKeyboard().add(dataButton("x", 1)).success();
  const spread = { inline_keyboard: styled.inline_keyboard.map((row) => row.map((button) => ({ ...button }))) };
  const call = drawTokens({ reply_markup: spread }, 1, false);
  expect(call.keyboards).toHaveLength(1);
  expect(drawTokens(call.payload, 1, false)).toEqual({ payload: call.payload, keyboards: [] });
});

test("of a call that may be replayed it is known whether anybody has looked at a token", () => {
  const { keyboards, payload } = drawTokens({ reply_markup: keyboard(1) }, 1, true);
  expect(keyboards[0]?.isSent).toBe(false);
  JSON.stringify(payload);
  expect(keyboards[0]?.isSent).toBe(true);
});
