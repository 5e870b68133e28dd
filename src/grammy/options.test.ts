import { describe, expect, test } from "vitest";
import { DrivenClock } from "../../test/support/driven-clock.ts";
import { makeApp, textUpdate, type MyOptions } from "../../test/support/made-app.ts";
import { query } from "../../test/support/read-file.ts";
import { withCode } from "../../test/support/with-code.ts";

describe("the option clock", () => {
  test("may count fractions of milliseconds, which do not count", async () => {
    const clock = new DrivenClock({ now: 1_700_000_000_000.5 });
    const { app, bot, path } = makeApp({ clock });
    bot.on("message", (ctx) => void (ctx.userData.n += 1));
    await app.initialize();
    await bot.handleUpdate(textUpdate("hi"));
    expect(query(path, "select since, until from done")).toEqual([
      { since: 1_700_000_000_000, until: 1_700_000_000_000 },
    ]);
  });

  test.each<[string, unknown]>([
    ["that is none", 5],
    ["that is nothing", null],
    ["without after()", { now: () => 0 }],
    ["without a time", { now: () => Number.NaN, after: () => () => {} }],
    ["whose time is a Date", { now: () => new Date(), after: () => () => {} }],
  ])("%s is refused", (_, clock) => {
    expect(() => makeApp({ clock } as Partial<MyOptions>)).toThrow(withCode("PERDURE_INVALID_OPTION"));
  });
});
