import { describe, expect, test } from "vitest";
import { withCode } from "../../../test/support/with-code.ts";
import { jsonCodec } from "../codec.ts";
import { PythonDate } from "./python-date.ts";
import { PythonDatetime } from "./python-datetime.ts";
import { PythonDecimal } from "./python-decimal.ts";
import { PythonDeque } from "./python-deque.ts";
import { PythonDict } from "./python-dict.ts";
import { PythonEnum } from "./python-enum.ts";
import { PythonFrozenset } from "./python-frozenset.ts";
import { PythonGlobal } from "./python-global.ts";
import { PythonObject } from "./python-object.ts";
import { PythonTime } from "./python-time.ts";
import { PythonTimedelta } from "./python-timedelta.ts";
import { PythonTimezone } from "./python-timezone.ts";
import { PythonTuple } from "./python-tuple.ts";
import { PythonUuid } from "./python-uuid.ts";

const codec = jsonCodec();
const color = new PythonGlobal("mybot.models", "Color");
const berlin = new PythonTimezone("zoneinfo", { name: "Europe/Berlin" });

describe("values of Python in any codec", () => {
  test.each<[unknown, string]>([
    [new PythonTuple([1, [2]]), '["python.tuple",[1,[2]]]'],
    [new PythonFrozenset(["a"]), '["python.frozenset",["a"]]'],
    [new PythonDeque([1], 5), '["python.deque",[5,1]]'],
    [new PythonDict("Counter", [["a", 1]]), '["python.dict",["Counter",null,["a",1]]]'],
    [color, '["python.global",["mybot.models","Color"]]'],
    [new PythonDecimal("1.10"), '["python.decimal","1.10"]'],
    [new PythonUuid("12345678-1234-5678-1234-567812345678"), '["python.uuid","12345678-1234-5678-1234-567812345678"]'],
    [new PythonTimedelta(-1, 5, 7), '["python.timedelta",[-1,5,7]]'],
    [new PythonDate("2024-02-29"), '["python.date","2024-02-29"]'],
    [new PythonTime("23:59:59.999999"), '["python.time",["23:59:59.999999",null,0]]'],
    [berlin, '["python.timezone",["zoneinfo","Europe/Berlin",null,null,null]]'],
  ])("%s is kept", (value, text) => {
    expect(codec.encode(value)).toBe(`{"$class":${text}}`);
    expect(codec.decode(codec.encode(value))).toStrictEqual(value);
  });

  test("what holds others is kept with them, also in a circle", () => {
    const player = new PythonObject({ from: color, args: [1], state: {}, items: [2], entries: [["k", 3]] });
    player.state = {
      self: player,
      at: new PythonDatetime("2024-07-01T09:00:00.000000", berlin),
      of: new PythonTuple([player]),
    };
    const again = codec.decode(codec.encode({ player })) as { player: PythonObject };
    expect(again).toStrictEqual({ player });
    expect(again.player.get("self")).toBe(again.player);
    expect(again.player).toBeInstanceOf(PythonObject);
    const member = codec.decode(codec.encode(new PythonEnum(color, { member: "RED" })));
    expect(member).toStrictEqual(new PythonEnum(color, { member: "RED" }));
  });

  test.each([
    '["python.tuple",{}]',
    '["python.tuple",null]',
    '["python.dict",["dict",null]]',
    '["python.dict",["Counter",null,1]]',
    '["python.deque",["x"]]',
    '["python.object",{}]',
    '["python.decimal","abc"]',
    '["python.date","2023-02-29"]',
    '["python.datetime",["2024-01-01",null,0]]',
    '["python.datetime",["2024-01-01T00:00:00.000000",null,2]]',
    '["python.enum",{"type":1,"member":"A"}]',
    '["python.timezone",["moon",null,null,null,null]]',
    '["python.uuid","1"]',
    '["python.unheard",1]',
  ])("a text that was edited wrongly is refused: %s", (text) => {
    expect(() => codec.decode(`{"a":{"$class":${text}}}`)).toThrow(withCode("PERDURE_CANNOT_DECODE"));
  });

  test("their names and classes cannot be registered again", () => {
    class Mine {}
    const how = { encode: () => 1, decode: () => new Mine() };
    expect(() => jsonCodec().register("python.tuple", Mine, how)).toThrow("registered already");
    expect(() => jsonCodec().register("Tuple", PythonTuple, how as never)).toThrow("kept without registration");
  });
});

describe("PythonDatetime.toDate", () => {
  test.each<[string, object | null, 0 | 1, string | undefined, string]>([
    ["2024-07-01T09:00:00.000000", berlin, 0, undefined, "2024-07-01T07:00:00.000Z"],
    ["2024-10-27T02:30:00.000000", berlin, 0, undefined, "2024-10-27T00:30:00.000Z"],
    ["2024-10-27T02:30:00.000000", berlin, 1, undefined, "2024-10-27T01:30:00.000Z"],
    ["2024-03-31T02:30:00.000000", berlin, 0, undefined, "2024-03-31T01:30:00.000Z"],
    ["0050-06-01T00:00:00.000000", berlin, 0, undefined, "0050-05-31T23:06:32.000Z"],
    ["0001-01-01T00:00:00.000000", berlin, 0, undefined, "0000-12-31T23:06:32.000Z"],
    ["2024-01-01T00:00:00.123456", null, 0, "America/New_York", "2024-01-01T05:00:00.123Z"],
    [
      "2023-06-01T08:00:00.000000",
      new PythonTimezone("datetime", { offset: 19_800 }),
      0,
      undefined,
      "2023-06-01T02:30:00.000Z",
    ],
  ])("%s", (text, zone, fold, given, moment) => {
    expect(new PythonDatetime(text, zone, fold).toDate(given).toISOString()).toBe(moment);
  });

  test("without a zone there is no moment", () => {
    expect(() => new PythonDatetime("2024-01-01T00:00:00.000000").toDate()).toThrow("is not known");
  });
});
