import fc from "fast-check";
import { expect, test } from "vitest";
import { drawButtonId, drawKeyboardId, readToken } from "./token.ts";

const BOT = 123_456;

function draw(botId = BOT): string {
  const keyboard = drawKeyboardId();
  return keyboard + drawButtonId(keyboard, botId);
}

test("168: a token is 64 ASCII characters, and is read as its keyboard and its button", () => {
  const token = draw();
  expect(token).toMatch(/^[0-9a-f]{64}$/);
  expect(readToken(token, BOT)).toEqual({ keyboard: token.slice(0, 32), button: token.slice(32) });
});

test("no two are alike, in no half", () => {
  const tokens = Array.from({ length: 1000 }, () => draw());
  expect(new Set(tokens.map((token) => token.slice(0, 32))).size).toBe(1000);
  expect(new Set(tokens.map((token) => token.slice(32, 56))).size).toBe(1000);
});

test("another bot's is forged", () => {
  expect(readToken(draw(BOT + 1), BOT)).toBe("forged");
});

test("one with a digit changed leads nowhere", () => {
  fc.assert(
    fc.property(fc.nat(63), fc.integer({ min: 1, max: 15 }), (at, by) => {
      const token = draw();
      const digit = ((Number.parseInt(token.charAt(at), 16) + by) % 16).toString(16);
      const read = readToken(token.slice(0, at) + digit + token.slice(at + 1), BOT);
      // What does not look like a token any more is other data.
      expect(read === "forged" || read === undefined).toBe(true);
    }),
  );
});

test("one made of the halves of two is forged", () => {
  expect(readToken(draw().slice(0, 32) + draw().slice(32), BOT)).toBe("forged");
});

test("PTB's is read as it is, whatever the bot", () => {
  const [keyboard, button] = ["fcf94f461a034489aabade1621218b67", "b8b46b26f950466ea24909cfbdb74ea6"];
  expect(readToken(keyboard + button, BOT)).toEqual({ keyboard, button });
  expect(readToken(keyboard + draw().slice(32), BOT)).toBe("forged");
});

test("any other text is no token", () => {
  const hex = fc.string({ unit: fc.nat(15).map((digit) => digit.toString(16)), minLength: 64, maxLength: 64 });
  const texts = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.base64String(), hex);
  fc.assert(
    fc.property(texts, (text) => {
      const read = readToken(text, BOT);
      // Of random digits one in some thousands looks like PTB's: then it is looked for.
      expect(typeof read === "object" ? text.slice(0, 32) : undefined).toBe(
        typeof read === "object" ? read.keyboard : undefined,
      );
      expect(read === undefined || /^[0-9a-f]{64}$/.test(text)).toBe(true);
    }),
    { numRuns: 300 },
  );
  expect(readToken(draw().toUpperCase(), BOT)).toBeUndefined();
  expect(readToken(`${draw()} `, BOT)).toBeUndefined();
  expect(readToken(draw().slice(1), BOT)).toBeUndefined();
});
