import { Context } from "grammy";
import { describe, expect, test } from "vitest";
import type { UnitOfWork } from "../engine/unit-of-work.ts";
import { bindUnit } from "./context.ts";

/** What a unit of work has that the context shows. */
function unitOf(data: object): UnitOfWork & { readonly called: unknown[] } {
  const called: unknown[] = [];
  const record = (what: unknown): void => void called.push(what);
  return { chatData: data, userData: data, botData: data, updateBotData: record, afterCommit: record, called } as never;
}

function newContext<C>(Class: new (...args: ConstructorParameters<typeof Context>) => C): C {
  return new Class({ update_id: 1 } as never, {} as never, {} as never);
}

type AnyContext = Record<string, unknown>;

class Plain extends Context {}

/** As TypeScript compiles a declared field: it stands on each context. */
class WithFields extends Context {
  chatData: unknown = "the field's";
  afterCommit: unknown = undefined;
}

class WithOwnAccessors extends Context {
  get chatData(): unknown {
    return "the class's";
  }
}

describe.each([
  ["grammY's own class", Context],
  ["a class of the program", Plain],
  ["a class that declares what is put there", WithFields],
  ["a class with accessors of the same names", WithOwnAccessors],
])("a context of %s", (_, Class: new (...args: ConstructorParameters<typeof Context>) => Context) => {
  test("has the values of its unit, and what is assigned goes there", () => {
    const [first, second] = [newContext(Class), newContext(Class)] as unknown as [AnyContext, AnyContext];
    const [unit, other] = [unitOf({ n: 1 }), unitOf({ n: 2 })];
    const application = {};
    bindUnit(first as never, unit, application);
    bindUnit(second as never, other, application);
    expect([first["chatData"], second["chatData"]]).toEqual([{ n: 1 }, { n: 2 }]);
    expect([first["userData"], first["botData"]]).toEqual([{ n: 1 }, { n: 1 }]);
    first["chatData"] = { n: 3 };
    first["userData"] = { n: 4 };
    expect([unit.chatData, unit.userData, other.chatData]).toEqual([{ n: 3 }, { n: 4 }, { n: 2 }]);
    (first["afterCommit"] as (call: unknown) => void)("a call");
    expect(unit.called).toEqual(["a call"]);
    expect(first["application"]).toBe(application);
  });

  test("keeps the botData, the application and the functions as they are", () => {
    const ctx = newContext(Class) as unknown as AnyContext;
    bindUnit(ctx as never, unitOf({}), {});
    for (const name of ["botData", "application", "updateBotData", "afterCommit"]) {
      expect(() => (ctx[name] = 1)).toThrow(TypeError);
    }
  });

  test("is what it was: its class, and nothing more to list or to copy", () => {
    const ctx = newContext(Class);
    const keys = Object.keys(ctx);
    bindUnit(ctx, unitOf({}), {});
    expect(ctx).toBeInstanceOf(Class);
    expect(ctx.constructor).toBe(Class);
    expect(Object.keys(ctx)).toEqual(keys);
    expect(Object.getOwnPropertySymbols(Object.assign({}, ctx))).toEqual([]);
  });
});

test("contexts that nobody has bound have none of it", () => {
  bindUnit(newContext(Context), unitOf({}), {});
  expect("chatData" in newContext(Context)).toBe(false);
  expect("chatData" in Context.prototype).toBe(false);
});

test("who derives from a context has its values, too", () => {
  const ctx = newContext(Context);
  const unit = unitOf({ n: 1 });
  bindUnit(ctx, unit, {});
  const derived = Object.create(ctx) as { chatData: unknown };
  derived.chatData = { n: 2 };
  expect([derived.chatData, unit.chatData]).toEqual([{ n: 2 }, { n: 2 }]);
});
