import { describe, expect, test } from "vitest";
import { isPerdureError, type PerdureError } from "../errors.ts";
import { jsonCodec } from "./codec.ts";

class Cart {
  readonly items: string[];

  constructor(items: string[]) {
    this.items = items;
  }
}

const codec = jsonCodec().register("Cart", Cart, {
  encode: (cart) => cart.items,
  decode: (items) => new Cart(items.map((item) => item.toUpperCase())),
});

function refusal(text: string, name?: string): PerdureError {
  try {
    codec.decode(text, { name });
  } catch (error) {
    if (isPerdureError(error, "PERDURE_CANNOT_DECODE")) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("a text that a person edited", () => {
  test.each<[string, unknown]>([
    ['{ "$map" : [ [ 1 , 2 ] ] }', new Map([[1, 2]])],
    ['{\n\t"a": {\r\n  "$set": []}}', { a: new Set() }],
    ['{"\\u0024map":[]}', new Map()],
    ['{"$\\u006dap":[]}', new Map()],
    ['{"$date":"2024-02-01"}', new Date(Date.UTC(2024, 1, 1))],
    [" [ 1 ]\n", [1]],
    ['{"a":1,"$map":[]}', { a: 1, $map: [] }],
    ['{"$map":[],"a":1}', { $map: [], a: 1 }],
    ['{"$map":[[1,2]],"$map":[]}', new Map()],
    ['["$map",{"a":"{\\"$map\\":[]}"}]', ["$map", { a: '{"$map":[]}' }]],
    ['{"price":"$5"}', { price: "$5" }],
  ])("%s is read", (text, value) => {
    expect(codec.decode(text)).toStrictEqual(value);
  });
});

describe("a text that is no JSON is refused", () => {
  test.each(["", "{", "undefined", "[1,]", "NaN", "{'a':1}", '"\n"'])("%j", (text) => {
    const error = refusal(text, "chatData.1");
    expect(error.message).toBe(`chatData.1: the text is no JSON, it begins with ${JSON.stringify(text)}`);
    expect(error.cause).toBeInstanceOf(SyntaxError);
  });

  test("and the error shows its first 60 characters", () => {
    expect(refusal(`${"a".repeat(60)}b`).message).toBe(
      `value: the text is no JSON, it begins with "${"a".repeat(60)}"`,
    );
  });

  test("what is no text is a mistake of the caller", () => {
    expect(() => codec.decode(undefined as unknown as string)).toThrow(TypeError);
    expect(() => codec.decode(["1"] as unknown as string)).toThrow(TypeError);
  });
});

describe("a tag that is not known is refused", () => {
  test.each([
    ['{"$new":1}', 'value: unknown tag "$new". A newer version of Perdure wrote it'],
    ['{"a":[{"$":1}]}', 'value.a[0]: unknown tag "$". A newer'],
    ['{"$__proto__":1}', 'value: unknown tag "$__proto__". A newer'],
    ['{"$map":[[{"$x":1},1]]}', 'value<key 0>: unknown tag "$x". A newer'],
    ['{"$map":[["k",{"$x":1}]]}', 'value.get("k"): unknown tag "$x". A newer'],
    ['{"$map":[[[1],{"$x":1}]]}', 'value.get(<key 0>): unknown tag "$x". A newer'],
    ['{"$set":[1,{"$x":1}]}', 'value<member 1>: unknown tag "$x". A newer'],
    ['{"$sparse":[9,[[7,{"$x":1}]]]}', 'value[7]: unknown tag "$x". A newer'],
    ['{"$null":{"a":{"$x":1}}}', 'value.a: unknown tag "$x". A newer'],
    ['{"$plain":{"$a":{"$x":1}}}', 'value.$a: unknown tag "$x". A newer'],
    ['{"$class":["Cart",[{"$x":1}]]}', 'value<Cart>[0]: unknown tag "$x". A newer'],
    ['{"$class":["Order",1]}', 'value: the class "Order" is not registered. Call codec.register("Order", ...)'],
  ])("%s", (text, message) => {
    expect(refusal(text).message.slice(0, message.length)).toBe(message);
  });
});

describe("a tag whose content is not what the codec writes is refused", () => {
  test.each([
    '{"$undefined":1}',
    '{"$undefined":null}',
    '{"$number":"1"}',
    '{"$number":1}',
    '{"$bigint":1}',
    '{"$bigint":""}',
    '{"$bigint":"0x10"}',
    '{"$bigint":" 1"}',
    '{"$date":0}',
    '{"$date":"never"}',
    '{"$bytes":1}',
    '{"$bytes":"AQ"}',
    '{"$bytes":"A*=="}',
    '{"$bytes":["AQ=="]}',
    '{"$typed":"AQ=="}',
    '{"$typed":["Uint8Array"]}',
    '{"$typed":["Uint8Array","AQ==",1]}',
    '{"$typed":["Uint9Array","AQ=="]}',
    '{"$typed":["Object","AQ=="]}',
    '{"$typed":["SharedArrayBuffer","AQ=="]}',
    '{"$typed":["Uint16Array","AQ=="]}',
    '{"$map":{}}',
    '{"$map":1}',
    '{"$map":[1]}',
    '{"$map":[[1]]}',
    '{"$map":[[1,2,3]]}',
    '{"$set":{}}',
    '{"$sparse":[]}',
    '{"$sparse":[1]}',
    '{"$sparse":[-1,[]]}',
    '{"$sparse":[1.5,[]]}',
    '{"$sparse":[4294967296,[]]}',
    '{"$sparse":[1,[[1,1]]]}',
    '{"$sparse":[2,[[1,1],[0,1]]]}',
    '{"$sparse":[2,[[1,1],[1,2]]]}',
    '{"$sparse":[2,[["1",1]]]}',
    '{"$sparse":[2,[],1]}',
    '{"$null":[]}',
    '{"$null":null}',
    '{"$plain":[]}',
    '{"$plain":"x"}',
    '{"$class":"Cart"}',
    '{"$class":["Cart"]}',
    '{"$class":[1,[]]}',
    '{"$class":["Cart",[],1]}',
    '{"$live":1}',
    '{"$ref":"a"}',
  ])("%s", (text) => {
    const [, tag] = /"(\$\w+)"/.exec(text) ?? [];
    const { message } = refusal(`{"a":[${text}]}`);
    expect(message).toContain(`value.a[0]: the content of the tag "${tag}" is not understood: `);
  });
});

describe("a reference that leads nowhere is refused", () => {
  test.each([
    ["to itself", '{"$ref":[]}'],
    ["to what comes later", '[{"$ref":[1]},[]]'],
    ["to what is not there", '[[],{"$ref":[1,0]}]'],
    ["to what is no object", '["a",{"$ref":[0]}]'],
    ["to a property that all objects have", '[{},{"$ref":[0,"constructor"]}]'],
    ["to the prototype", '[{},{"$ref":[0,"__proto__"]}]'],
    ["into a tag", '[{"$plain":{"$a":1}},{"$ref":[0,"$plain"]}]'],
    ["by a step that is neither key nor index", '[[[]],{"$ref":[[0]]}]'],
    ["to an instance that is not made yet", '{"$class":["Cart",[{"$ref":[]}]]}'],
  ])("%s", (_, text) => {
    expect(refusal(text).message).toMatch(/the content of the tag "\$ref" is not understood: it is no path to/);
  });
});

test("a class that cannot make an instance of the content is named, with its error as the cause", () => {
  const error = refusal('{"cart":{"$class":["Cart",{}]}}', "userData.1");
  expect(error.message).toMatch(/^userData\.1\.cart: decode of the class "Cart" failed: items\.map is not a function/);
  expect(error.cause).toBeInstanceOf(TypeError);
});

describe("a hostile text", () => {
  const levels = 100_000;

  test.each([
    ["nested arrays", "[".repeat(levels) + "]".repeat(levels)],
    ["nested objects", '{"a":'.repeat(levels) + "1" + "}".repeat(levels)],
    ["nested arrays beside a tag", `[{"$map":[]},${"[".repeat(levels)}${"]".repeat(levels)}]`],
    ["nested tags", '{"$set":['.repeat(levels) + "]}".repeat(levels)],
    ["nested escapes", '{"$plain":{"$a":'.repeat(levels) + "1" + "}}".repeat(levels)],
    ["nested instances", '{"$class":["Cart",'.repeat(levels) + "1" + "]}".repeat(levels)],
    ["1001 levels beside a tag", `[{"$map":[]},${"[".repeat(1000)}${"]".repeat(1000)}]`],
    ["1001 levels", "[".repeat(1001) + "]".repeat(1001)],
    ["1001 levels behind strings with brackets", `${'["]]]]\\"]]\\\\",'.repeat(1001)}1${"]".repeat(1001)}`],
  ])("of %s is refused", (_, text) => {
    expect(refusal(text).message).toMatch(/: nested deeper than 1000 levels/);
  });

  test.each([
    ["many brackets in a string", JSON.stringify(["[{".repeat(5000)])],
    ["many brackets after an escaped quote", JSON.stringify([`"${"[{".repeat(5000)}\\`])],
    ["1000 levels beside a tag", `[{"$map":[]},${"[".repeat(999)}${"]".repeat(999)}]`],
    ["1000 levels", "[".repeat(1000) + "]".repeat(1000)],
    ["many objects side by side", `[${Array.from({ length: 5000 }, () => '{"a":[]}').join(",")}]`],
  ])("is not one with %s", (_, text) => {
    expect(codec.encode(codec.decode(text))).toBe(text);
  });

  test("takes no memory for the holes of an array", () => {
    const before = process.memoryUsage().rss;
    const value = codec.decode(
      `[${Array.from({ length: 20 }, () => '{"$sparse":[30000000,[]]}').join(",")}]`,
    ) as unknown[][];
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
    expect(value.map((array) => array.length)).toEqual(Array.from({ length: 20 }, () => 30_000_000));
    expect(codec.encode(value[0])).toBe('{"$sparse":[30000000,[]]}');
  });
});
