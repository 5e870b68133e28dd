import { PythonDate } from "../../src/data/python/python-date.ts";
import { PythonDatetime } from "../../src/data/python/python-datetime.ts";
import { PythonDecimal } from "../../src/data/python/python-decimal.ts";
import { PythonDeque } from "../../src/data/python/python-deque.ts";
import { PythonDict } from "../../src/data/python/python-dict.ts";
import { PythonEnum } from "../../src/data/python/python-enum.ts";
import { PythonFrozenset } from "../../src/data/python/python-frozenset.ts";
import { PythonGlobal } from "../../src/data/python/python-global.ts";
import { PythonObject } from "../../src/data/python/python-object.ts";
import { PythonTime } from "../../src/data/python/python-time.ts";
import { PythonTimedelta } from "../../src/data/python/python-timedelta.ts";
import { PythonTimezone } from "../../src/data/python/python-timezone.ts";
import { PythonTuple } from "../../src/data/python/python-tuple.ts";
import { PythonUuid } from "../../src/data/python/python-uuid.ts";

/** Something that is compared as JSON: what a fixture says of a value, and the value, are made into the same. */
type Comparable = unknown;

type Tagged = Readonly<Record<string, unknown>>;

const BOT = { bot: "known" };

/** What the notation of the fixtures' README says, with floats as numbers and without the order of keys. */
export function comparableOfTagged(root: unknown): Comparable {
  return new TaggedReading().read(root);
}

class TaggedReading {
  readonly #shared = new Map<number, unknown>();
  readonly #open: unknown[] = [];

  read(tagged: unknown): Comparable {
    if (Array.isArray(tagged)) return tagged.map((item) => this.read(item));
    if (typeof tagged !== "object" || tagged === null) return tagged;
    const { $id, $ref, ...rest } = tagged as Tagged;
    if ($ref !== undefined) return this.#inCircle(this.#shared.get(Number($ref)));
    if ($id === undefined) return this.#inCircle(rest);
    const first = this.#shared.get(Number($id)) ?? rest;
    this.#shared.set(Number($id), first);
    return this.#inCircle(first);
  }

  #inCircle(tagged: unknown): Comparable {
    if (this.#open.includes(tagged)) return ["circle"];
    this.#open.push(tagged);
    const read = this.#tag(tagged as Tagged);
    this.#open.pop();
    return read;
  }

  #tag(tagged: Tagged): Comparable {
    const [tag = "", content] = Object.entries(tagged)[0] ?? [];
    switch (tag) {
      case "$list":
        return this.read(content);
      case "$map":
        return this.#map(content);
      case "$ordereddict":
      case "$counter":
        return [tag, this.#map(content)];
      case "$defaultdict":
        return [tag, this.#map(content), this.read(tagged["factory"])];
      case "$tuple":
        return ["tuple", ...(this.read(content) as unknown[])];
      case "$set":
      case "$frozenset":
        return [tag, sorted(this.read(content) as unknown[])];
      case "$deque":
        return [tag, this.read(content), tagged["maxlen"]];
      case "$float":
        return floatOf(String(content));
      case "$bytearray":
        return object("builtins.bytearray", { args: [["bytes", content]] });
      case "$complex":
        return object("builtins.complex", { args: this.read(content) });
      case "$range":
        return object("builtins.range", { args: content });
      case "$ellipsis":
        return ["global", "builtins.Ellipsis"];
      case "$notimplemented":
        return ["global", "builtins.NotImplemented"];
      case "$bytes":
      case "$global":
        return [tag.slice(1), content];
      case "$datetime":
        return ["datetime", content, tagged["fold"] ?? 0, this.#zone(tagged["tzinfo"])];
      case "$time":
        return ["time", content, tagged["fold"] ?? 0, this.#zone(tagged["tzinfo"])];
      case "$tz":
      case "$zoneinfo":
      case "$pytz":
        return this.#zone(tagged);
      case "$enum":
        return this.#enum(content as Tagged);
      case "$bot":
        return content === "unknown" ? null : BOT;
      case "$telegram":
        return this.#telegram(content as Tagged);
      case "$object":
        return this.#object(content as Tagged);
      default:
        return [tag, content];
    }
  }

  #map(pairs: unknown): Comparable {
    return ["map", sorted((pairs as unknown[][]).map((pair) => pair.map((part) => this.read(part))))];
  }

  #zone(tagged: unknown): Comparable {
    const zone = tagged as { $tz?: Tagged; $zoneinfo?: string; $pytz?: string | null } & Tagged;
    if (tagged === undefined) return null;
    if (zone.$zoneinfo !== undefined) return ["zone", "zoneinfo", zone.$zoneinfo, null];
    if (zone.$tz !== undefined) return ["zone", "datetime", zone.$tz["name"], secondsOf(zone.$tz["offset"])];
    if (zone.$pytz === null) return ["zone", "pytz", null, Number(zone["minutes"]) * 60];
    return ["zone", "pytz", zone.$pytz, zone.$pytz === "UTC" ? 0 : secondsOf(zone["offset"])];
  }

  #enum({ module, name, member, value, by }: Tagged): Comparable {
    const type = `${String(module)}.${String(name)}`;
    return by === "name" ? ["enum", type, "name", member] : ["enum", type, "value", this.read(value)];
  }

  #telegram({ class: type, attrs, api_kwargs, bot }: Tagged): Comparable {
    const known = (attrs as [string, unknown][]).map(([name, value]) => [name, this.read(value)]);
    const unknown = ((api_kwargs ?? []) as [string, unknown][]).map(([name, value]) => [name, this.read(value)]);
    return ["telegram", type, sorted([...known, ...unknown]), bot === undefined ? null : this.read(bot)];
  }

  #object({ module, name, args, kwargs, state, items, entries, call }: Tagged): Comparable {
    return object(`${String(module)}.${String(name)}`, {
      args: args === undefined ? undefined : this.read(args),
      kwargs: kwargs === undefined ? undefined : this.read(kwargs),
      state: state === undefined ? undefined : this.read(state),
      items: items === undefined ? undefined : this.read(items),
      entries: entries === undefined ? undefined : this.#map(entries),
      called: call,
    });
  }
}

/** What a value is that was made of a pickle. */
export function comparableOfValue(value: unknown, bot: object): Comparable {
  return new ValueReading(bot).read(value);
}

class ValueReading {
  readonly #bot: object;
  readonly #open: unknown[] = [];

  constructor(bot: object) {
    this.#bot = bot;
  }

  read(value: unknown): Comparable {
    if (typeof value === "bigint") return ["$bigint", String(value)];
    if (typeof value === "number")
      return Object.is(value, -0) || !Number.isFinite(value) ? ["number", String(value === 0 ? "-0" : value)] : value;
    if (typeof value !== "object" || value === null) return value;
    if (value === this.#bot) return BOT;
    if (this.#open.includes(value)) return ["circle"];
    this.#open.push(value);
    const read = this.#object(value);
    this.#open.pop();
    return read;
  }

  #object(value: object): Comparable {
    if (Array.isArray(value)) return value.map((item) => this.read(item));
    if (value instanceof PythonTuple) return ["tuple", ...value.items.map((item) => this.read(item))];
    if (value instanceof Map) return this.#map(value);
    if (value instanceof Set) return ["$set", sorted([...value].map((item) => this.read(item)))];
    if (value instanceof PythonFrozenset) return ["$frozenset", sorted([...value].map((item) => this.read(item)))];
    if (value instanceof PythonDeque) return ["$deque", value.items.map((item) => this.read(item)), value.maxlen];
    if (value instanceof PythonDict) return this.#dict(value);
    if (value instanceof Uint8Array) return ["bytes", Buffer.from(value).toString("base64")];
    if (value instanceof Date)
      return ["datetime", `${value.toISOString().slice(0, 23)}000`, 0, ["zone", "datetime", null, 0]];
    if (value instanceof PythonDatetime) return ["datetime", value.text, value.fold, this.read(value.zone)];
    if (value instanceof PythonTime) return ["time", value.text, value.fold, this.read(value.zone)];
    if (value instanceof PythonDate) return ["$date", value.text];
    if (value instanceof PythonTimedelta) return ["$timedelta", [value.days, value.seconds, value.microseconds]];
    if (value instanceof PythonTimezone) return ["zone", value.type, value.name, value.offset];
    if (value instanceof PythonDecimal) return ["$decimal", value.text];
    if (value instanceof PythonUuid) return ["$uuid", value.text];
    if (value instanceof PythonGlobal) return ["global", value.toString()];
    if (value instanceof PythonEnum) return this.#enum(value);
    if (value instanceof PythonObject) return this.#instance(value);
    return this.#map(new Map(Object.entries(value)));
  }

  #map(map: ReadonlyMap<unknown, unknown>): Comparable {
    return ["map", sorted(Array.from(map, ([key, value]) => [this.read(key), this.read(value)]))];
  }

  #dict({ type, entries, factory }: PythonDict): Comparable {
    const rest = type === "defaultdict" ? [factory === undefined ? null : this.read(factory)] : [];
    return [`$${type.toLowerCase()}`, this.#map(entries), ...rest];
  }

  #enum({ type, member, value }: PythonEnum): Comparable {
    return member === undefined
      ? ["enum", type.toString(), "value", this.read(value)]
      : ["enum", type.toString(), "name", member];
  }

  #instance(value: PythonObject): Comparable {
    if (value.name.startsWith("telegram.") && !value.name.startsWith("telegram.utils")) return this.#telegram(value);
    const { args, called, kwargs, state, items, entries } = value;
    return object(value.name, {
      args: args.length === 0 ? undefined : args.map((arg) => this.read(arg)),
      kwargs: kwargs === undefined ? undefined : this.read(kwargs),
      state: state === undefined ? undefined : this.read(state),
      items: items.length === 0 ? undefined : items.map((item) => this.read(item)),
      entries: entries.size === 0 ? undefined : this.#map(entries),
      called:
        called && !["builtins.bytearray", "builtins.complex", "builtins.range"].includes(value.name) ? true : undefined,
    });
  }

  #telegram(value: PythonObject): Comparable {
    const state = value.state instanceof PythonTuple ? value.state.items[1] : undefined;
    const all = new Map(Object.entries((state ?? value.args[1]) as object));
    const attributes = [...all].filter(([name, part]) => part !== null && !HIDDEN.has(name));
    const more = Object.entries((all.get("api_kwargs") ?? {}) as object);
    const bot = all.get("_bot") ?? all.get("bot");
    const read = [...attributes, ...more].map(([name, part]: [string, unknown]) => [name, this.read(part)]);
    return ["telegram", value.name, sorted(read), bot === undefined ? null : this.read(bot)];
  }
}

const HIDDEN = new Set(["_bot", "bot", "_frozen", "_id_attrs", "api_kwargs"]);

function object(name: string, parts: Readonly<Record<string, unknown>>): Comparable {
  return ["object", name, Object.entries(parts).filter(([, part]) => part !== undefined)];
}

function floatOf(text: string): Comparable {
  const named: Readonly<Record<string, number>> = { nan: Number.NaN, inf: Infinity, "-inf": -Infinity };
  const value = named[text] ?? Number(text);
  return Object.is(value, -0) || !Number.isFinite(value)
    ? ["number", Object.is(value, -0) ? "-0" : String(value)]
    : value;
}

function secondsOf(delta: unknown): number {
  const [days = 0, seconds = 0] = delta as number[];
  return days * 86_400 + seconds;
}

function sorted(items: readonly unknown[]): unknown[] {
  return items.toSorted((first, second) => (JSON.stringify(first) < JSON.stringify(second) ? -1 : 1));
}
