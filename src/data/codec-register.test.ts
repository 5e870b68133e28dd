import { describe, expect, test, vi } from "vitest";
import { jsonCodec, type LiveObjects } from "./codec.ts";

class Money {
  readonly #cents: bigint;

  constructor(cents: bigint) {
    this.#cents = cents;
  }

  get cents(): bigint {
    return this.#cents;
  }
}

class Price extends Money {}

const codec = jsonCodec().register("Money", Money, {
  encode: (money) => ({ cents: money.cents }),
  decode: ({ cents }) => new Money(cents),
});

describe("a registered class", () => {
  test("is kept under its name, and comes back as an instance", () => {
    const text = codec.encode({ total: new Money(7n) });
    expect(text).toBe('{"total":{"$class":["Money",{"cents":{"$bigint":"7"}}]}}');
    const { total } = codec.decode(text) as { total: Money };
    expect(total).toBeInstanceOf(Money);
    expect(total.cents).toBe(7n);
  });

  test("is one instance again where it stood in several places", () => {
    const money = new Money(1n);
    const text = codec.encode([money, new Map([[money, money]])]);
    expect(text).toContain('{"$map":[[{"$ref":[0]},{"$ref":[0]}]]}');
    const [first, map] = codec.decode(text) as [Money, Map<Money, Money>];
    expect(first).toBeInstanceOf(Money);
    expect([...map]).toEqual([[first, first]]);
    expect(map.get(first)).toBe(first);
  });

  test("shares objects with what is outside of it", () => {
    class Holder {
      readonly held: unknown;

      constructor(held: unknown) {
        this.held = held;
      }
    }
    const holders = jsonCodec().register("Holder", Holder, {
      encode: ({ held }) => held,
      decode: (held) => new Holder(held),
    });
    const shared = { a: 1 };
    const back = holders.decode(holders.encode([shared, new Holder(shared), new Holder([shared])])) as [
      object,
      Holder,
      { held: object[] },
    ];
    expect(back[1].held).toBe(back[0]);
    expect(back[2].held[0]).toBe(back[0]);
  });

  test("is told apart from a class that it extends", () => {
    const names = jsonCodec()
      .register("Price", Price, { encode: ({ cents }) => cents, decode: (cents) => new Price(cents) })
      .register("Money", Money, { encode: ({ cents }) => cents, decode: (cents) => new Money(cents) });
    const [price, money] = names.decode(names.encode([new Price(1n), new Money(2n)])) as [Price, Money];
    expect([price.constructor, money.constructor]).toEqual([Price, Money]);
  });

  test("may be one of JavaScript's own, or on top of it", () => {
    class Names extends Set<string> {}
    const more = jsonCodec()
      .register("URL", URL, { encode: ({ href }) => href, decode: (href) => new URL(href) })
      .register("RegExp", RegExp, {
        encode: ({ source, flags }) => [source, flags] as const,
        decode: ([s, f]) => new RegExp(s, f),
      })
      .register("Names", Names, { encode: (names) => [...names], decode: (names) => new Names(names) });
    const value = [new URL("http://a/"), /a/g, new Names(["b"])];
    expect(more.encode(value)).toBe(
      '[{"$class":["URL","http://a/"]},{"$class":["RegExp",["a","g"]]},{"$class":["Names",["b"]]}]',
    );
    expect(more.decode(more.encode(value))).toStrictEqual(value);
  });

  test("may give undefined and null", () => {
    const decode = vi.fn<(encoded: unknown) => Money>(() => new Money(0n));
    const odd = jsonCodec().register("Money", Money, {
      encode: ({ cents }) => (cents === 0n ? undefined : null),
      decode,
    });
    odd.decode(odd.encode([new Money(0n), new Money(1n)]));
    expect(decode.mock.calls).toEqual([[undefined], [null]]);
  });

  test("whose encode fails is named, with its error as the cause", () => {
    const failing = jsonCodec().register("Money", Money, {
      encode: (): never => {
        throw new Error("no cents");
      },
      decode: () => new Money(0n),
    });
    expect(() => failing.encode([new Money(1n)], { name: "botData" })).toThrow(
      expect.objectContaining({
        code: "PERDURE_CANNOT_KEEP",
        message: 'botData[0]: encode of the class "Money" failed: no cents',
        cause: new Error("no cents"),
      }),
    );
  });

  test("whose encode returns a promise is refused", () => {
    const async = jsonCodec().register("Money", Money, {
      encode: (money) => Promise.resolve(money.cents),
      decode: () => new Money(0n),
    });
    expect(() => async.encode([new Money(1n)])).toThrow("value[0]<Money>: a Promise cannot be kept. Missing await?");
  });

  test("is known to one codec only", () => {
    expect(() => jsonCodec().encode(new Money(1n))).toThrow("value: an instance of the class Money cannot be kept");
  });
});

describe("register refuses", () => {
  const how = { encode: (): number => 1, decode: (): Money => new Money(0n) };

  test("a name used twice", () => {
    expect(() => jsonCodec().register("A", Money, how).register("A", Price, how)).toThrow(
      new TypeError('codec.register: the name "A" is registered already'),
    );
  });

  test("a class registered twice", () => {
    expect(() => jsonCodec().register("A", Money, how).register("B", Money, how)).toThrow(
      new TypeError('codec.register: the class of "B" is registered already, as "A"'),
    );
  });

  test.each(["", undefined, 7])("the name %j", (name) => {
    expect(() => jsonCodec().register(name as string, Money, how)).toThrow(TypeError);
  });

  test.each([{}, () => 1, undefined, "Money"])("what is no class: %s", (constructor) => {
    expect(() => jsonCodec().register("A", constructor as typeof Money, how)).toThrow(
      new TypeError('codec.register: "A" needs a class, the second argument is none'),
    );
  });

  test.each([Object, Array, Map, Set, Date, Uint8Array, Float64Array, DataView, ArrayBuffer, Buffer])(
    "what is kept anyway: %s",
    (constructor) => {
      expect(() => jsonCodec().register("A", constructor as unknown as typeof Money, how)).toThrow(
        new TypeError('codec.register: "A" is a built-in class that is kept without registration'),
      );
    },
  );

  test("a class, and keeps nothing of it", () => {
    const some = jsonCodec();
    expect(() => some.register("A", Map as unknown as typeof Money, how)).toThrow(TypeError);
    expect(some.register("A", Money, how).encode(new Money(1n))).toBe('{"$class":["A",1]}');
  });
});

describe("a live object", () => {
  class Bot {}
  const bot = new Bot();
  class Api {
    readonly plain = true;
  }
  const api = new Api();
  const otherBot = new Bot();

  const live: LiveObjects = {
    nameOf: (object) => (object === bot ? "bot" : object === api ? "api" : object instanceof Bot ? null : undefined),
    get: (name) => ({ bot, api })[name],
  };

  test("is kept as a placeholder, wherever it is and whatever it is", () => {
    const value = { bot, list: [api, bot], map: new Map([[bot, api]]), members: new Set([bot]) };
    const text = codec.encode(value, { live });
    expect(text).toBe(
      '{"bot":{"$live":"bot"},"list":[{"$live":"api"},{"$live":"bot"}],"map":{"$map":[[{"$live":"bot"},{"$live":"api"}]]},"members":{"$set":[{"$live":"bot"}]}}',
    );
    const back = codec.decode(text, { live }) as typeof value;
    expect(back.bot).toBe(bot);
    expect([...back.map][0]).toEqual([bot, api]);
    expect(back.list[0]).toBe(api);
  });

  test("may be the whole value", () => {
    expect(codec.encode(bot, { live })).toBe('{"$live":"bot"}');
    expect(codec.decode('{"$live":"bot"}', { live })).toBe(bot);
  });

  test("is found in a value that is plain otherwise", () => {
    expect(codec.encode([[api]], { live })).toBe('[[{"$live":"api"}]]');
    expect(codec.encode([[{ plain: true }]], { live })).toBe('[[{"plain":true}]]');
  });

  test("that is unknown is kept as nothing", () => {
    expect(codec.encode({ bot: otherBot }, { live })).toBe('{"bot":null}');
  });

  test("comes before its class, if that is registered", () => {
    const bots = jsonCodec().register("Bot", Bot, { encode: () => 1, decode: () => new Bot() });
    expect(bots.encode([bot], { live })).toBe('[{"$live":"bot"}]');
  });

  test("that is not there any more is what live objects give for its name", () => {
    expect(codec.decode('{"bot":{"$live":"gone"}}', { live })).toStrictEqual({ bot: undefined });
  });

  test("cannot be kept or decoded without live objects", () => {
    expect(() => codec.encode({ bot })).toThrow("value.bot: an instance of the class Bot cannot be kept");
    expect(() => codec.decode('{"bot":{"$live":"bot"}}')).toThrow(
      expect.objectContaining({
        code: "PERDURE_CANNOT_DECODE",
        message: 'value.bot: the live object "bot" is not there. Decode with the option "live".',
      }),
    );
  });
});
