import { describe, expect, test } from "vitest";
import { END, hears, on, TIMEOUT } from "../src/index.ts";
import { conversing, type AnyConversation, type Conversing } from "./support/conversing.ts";
import { DrivenClock } from "./support/driven-clock.ts";

const ANN = { chat: -1, user: 7 };

function noting(made: Conversing, text: string, state?: unknown) {
  return hears(text, () => (made.notes.push(text), state as string));
}

/** An order, in which an address is asked for, in which a country is asked for. */
function nested(
  made: Conversing,
  options: Partial<Record<"order" | "address" | "country", Partial<AnyConversation>>> = {},
) {
  const make = (name: keyof typeof options, own: object) =>
    made.app.conversation<string, never, unknown>({ name, persistent: true, ...own, ...options[name] } as never);
  const country = make("country", {
    entryPoints: [noting(made, "country", "WHICH")],
    states: { WHICH: [noting(made, "france", "DONE"), noting(made, "none", END)] },
    fallbacks: [noting(made, "stop", "STOP"), noting(made, "help")],
    mapToParent: { DONE: "STREET", [END]: undefined, STOP: "STOP" },
  });
  const address = make("address", {
    entryPoints: [noting(made, "address", "START")],
    states: { START: [country], STREET: [noting(made, "street", END)] },
    fallbacks: [noting(made, "help"), noting(made, "stop", "STOP")],
    mapToParent: { [END]: "PAY", STOP: END },
  });
  const order = make("order", {
    entryPoints: [noting(made, "order", "ITEMS")],
    states: { ITEMS: [address], PAY: [noting(made, "paid", END)] },
    fallbacks: [noting(made, "cancel", END)],
  });
  made.bot.use(order);
  made.bot.use(() => void made.notes.push("passed"));
  const states = async (): Promise<unknown[]> => {
    const all = [order, address, country].map((handler) => handler.stateOf(ANN));
    return Promise.all(all);
  };
  return { order, address, country, states };
}

describe("a conversation in a conversation", () => {
  test("159, 161: a child is one handler of the parent's state; what mapToParent has ends it, and is the parent's answer", async () => {
    const made = conversing();
    const { states } = nested(made);
    for (const text of ["order", "address", "country"]) await made.say(text);
    expect(await states()).toEqual(["ITEMS", "START", "WHICH"]);
    await made.say("france");
    expect(await states()).toEqual(["ITEMS", "STREET", undefined]);
    await made.say("street");
    expect(await states()).toEqual(["PAY", undefined, undefined]);
    await made.say("paid");
    expect(await states()).toEqual([undefined, undefined, undefined]);
  });

  test("159: what maps to nothing ends the child, and the parent stays", async () => {
    const made = conversing();
    const { states } = nested(made);
    for (const text of ["order", "address", "country", "none"]) await made.say(text);
    expect(await states()).toEqual(["ITEMS", "START", undefined]);
  });

  test.each([[undefined], [null]])("159: what maps to %j ends the child too, and the parent stays", async (nothing) => {
    const made = conversing();
    const child = made.app.conversation({
      entryPoints: [hears("child", () => "C")],
      states: { C: [hears("done", () => "DONE")] },
      mapToParent: { DONE: nothing },
    });
    const parent = made.app.conversation({ entryPoints: [hears("parent", () => "P")], states: { P: [child] } });
    made.bot.use(parent);
    for (const text of ["parent", "child", "done"]) await made.say(text);
    expect([await parent.stateOf(ANN), await child.stateOf(ANN)]).toEqual(["P", undefined]);
    expect(made.warnings).toEqual([]);
  });

  test("159: END ends all levels where each maps it", async () => {
    const made = conversing();
    const { states } = nested(made);
    for (const text of ["order", "address", "country", "stop"]) await made.say(text);
    expect(await states()).toEqual([undefined, undefined, undefined]);
  });

  test("160: mapToParent is looked at before states", async () => {
    const made = conversing();
    const { states } = nested(made, {
      country: { states: { WHICH: [noting(made, "france", "DONE")], DONE: [] } as never },
    });
    for (const text of ["order", "address", "country", "france"]) await made.say(text);
    expect(await states()).toEqual(["ITEMS", "STREET", undefined]);
  });

  test("161: the innermost fallbacks are tried first, the parent's last; a child takes only what is its own", async () => {
    const made = conversing();
    const { states } = nested(made);
    for (const text of ["order", "address", "country", "help", "cancel"]) await made.say(text);
    expect(made.notes).toEqual(["order", "address", "country", "help", "cancel"]);
    // As in PTB, children of a parent that has ended by itself keep their states.
    expect(await states()).toEqual([undefined, "START", "WHICH"]);
    await made.say("france");
    expect(made.notes.at(-1)).toBe("passed");
  });

  test("161: each level has its own key settings", async () => {
    const made = conversing();
    const { order, address } = nested(made, { order: { perUser: false }, address: { perChat: false } });
    for (const text of ["order", "address"]) await made.say(text);
    expect(await order.stateOf({ chat: -1 })).toBe("ITEMS");
    expect(await address.stateOf({ user: 7 })).toBe("START");
    await made.say("address", { user: 8 });
    expect(await address.stateOf({ user: 8 })).toBe("START");
  });

  test("162: a persistent one with a child that is not is refused; a persistent child of one that is not is kept", async () => {
    const made = conversing();
    expect(() => nested(made, { country: { persistent: false } })).toThrow(
      'the persistent conversation "address" has the conversation country in it',
    );
    const other = conversing();
    nested(other, { order: { persistent: false } });
    for (const text of ["order", "address"]) await other.say(text);
    expect(await other.app.persistence.getConversations("order")).toEqual([]);
    expect(await other.app.persistence.getConversations("address")).toEqual([[[-1, 7], "START"]]);
  });

  test("a callback that throws in the innermost leaves all levels as they were", async () => {
    const made = conversing();
    const failing = hears("france", () => {
      throw new Error("on purpose");
    });
    const { states } = nested(made, { country: { states: { WHICH: [failing] } as never } });
    for (const text of ["order", "address", "country", "france"]) await made.say(text);
    expect(await states()).toEqual(["ITEMS", "START", "WHICH"]);
  });

  test("163: each level may time out by itself; the others stay", async () => {
    const clock = new DrivenClock();
    const made = conversing({ clock });
    const told = on("message:text", (ctx) => void made.notes.push(`timeout after ${ctx.msg.text}`));
    const { states } = nested(made, {
      order: { conversationTimeout: "2h" },
      country: {
        conversationTimeout: "30m",
        states: { WHICH: [noting(made, "france", "DONE")], [TIMEOUT]: [told] } as never,
      },
    });
    await made.app.jobQueue.start();
    for (const text of ["order", "address", "country"]) await made.say(text);
    await clock.advance(30 * 60_000);
    expect(await states()).toEqual(["ITEMS", "START", undefined]);
    expect(made.notes.at(-1)).toBe("timeout after country");
    await clock.advance(90 * 60_000);
    expect(await states()).toEqual([undefined, "START", undefined]);
    expect(made.warnings).toEqual([]);
  });

  test("163: what a child handles is heard by the parent too", async () => {
    const clock = new DrivenClock();
    const made = conversing({ clock });
    const { states } = nested(made, { order: { conversationTimeout: "30m" } });
    await made.app.jobQueue.start();
    for (const text of ["order", "address"]) await made.say(text);
    await clock.advance(20 * 60_000);
    await made.say("country");
    await clock.advance(20 * 60_000);
    expect((await states())[0]).toBe("ITEMS");
  });
});
