import { join } from "node:path";
import type { Update } from "@grammyjs/types";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type DrivenClock, isSettled, settled } from "../../test/support/driven-clock.ts";
import { FailingPersistence } from "../../test/support/failing-persistence.ts";
import { makeEngine, type Counts, type MakeEngineOptions, type MadeEngine } from "../../test/support/made-engine.ts";
import { newSqlite } from "../../test/support/new-sqlite.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { message } from "../../test/support/updates.ts";
import { withCode } from "../../test/support/with-code.ts";
import { jsonCodec } from "../data/codec.ts";
import type { RecordKey } from "../data/record.ts";
import { PerdureError } from "../errors.ts";
import { systemClock } from "./clock.ts";
import type { Run } from "./engine.ts";
import type { Schema } from "./schema.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

const counting = { initial: () => ({ n: 0 }), migrations: [] };
const SCHEMA: Schema = { bot: counting, chat: counting, user: counting };

interface Setting extends MadeEngine<FailingPersistence> {
  readonly path: string;
}

async function start(options: MakeEngineOptions = {}, path = join(temporaryFolder(), "bot.sqlite")): Promise<Setting> {
  return { ...(await makeEngine(new FailingPersistence(newSqlite(path)), options)), path };
}

async function restart({ persistence, path }: Setting, options: MakeEngineOptions = {}): Promise<Setting> {
  await persistence.close();
  return start(options, path);
}

const chatData = (unit: UnitOfWork): Counts => unit.chatData as Counts;
const userData = (unit: UnitOfWork): Counts => unit.userData as Counts;

/** Counts in all three scopes. */
const countAll: Run = async (unit) => {
  chatData(unit).n += 1;
  userData(unit).n += 1;
  await unit.updateBotData((bot) => ((bot as Counts).n += 1));
};

async function kept({ persistence }: Setting, ...keys: RecordKey[]): Promise<unknown[]> {
  const records = await persistence.inner.read(keys);
  return records.map((record) => (record === undefined ? undefined : JSON.parse(record.text)));
}

const CHAT: RecordKey = { kind: "chat", id: 1 };
const USER: RecordKey = { kind: "user", id: 1 };
const BOT: RecordKey = { kind: "bot" };

async function open({ persistence }: Setting): Promise<number[]> {
  return (await persistence.openUpdates({ limit: 100 })).map(({ updateId }) => updateId);
}

describe("an update is a transaction", () => {
  test("what it changed and its done mark are one commit", async () => {
    const setting = await start();
    expect(await setting.engine.handle(message(1), countAll)).toBe("handled");
    expect(setting.persistence.commits).toHaveLength(1);
    expect(setting.persistence.commits[0]?.[0]).toMatchObject({
      done: 1,
      changes: [{ key: CHAT }, { key: USER }, { key: BOT }],
    });
    expect(await kept(setting, CHAT, USER, BOT)).toEqual([{ n: 1 }, { n: 1 }, { n: 1 }]);
    expect(await open(setting)).toEqual([]);
  });

  test("delivered again, while it runs, when it is done, and after a restart, it runs once", async () => {
    const setting = await start();
    const gate = Promise.withResolvers<void>();
    const first = setting.engine.handle(message(1), async (unit) => {
      await gate.promise;
      chatData(unit).n += 1;
    });
    await settled();
    expect(await setting.engine.handle(message(1), countAll)).toBe("duplicate");
    gate.resolve();
    expect(await first).toBe("handled");
    expect(await setting.engine.handle(message(1), countAll)).toBe("duplicate");
    const again = await restart(setting);
    expect(await again.engine.handle(message(1), countAll)).toBe("duplicate");
    expect(await kept(again, CHAT)).toEqual([{ n: 1 }]);
  });

  test("a handler that throws after changing all three scopes leaves none of it, and is not run again", async () => {
    const setting = await start();
    await setting.engine.handle(message(1), countAll);
    const run = setting.engine.handle(message(2), async (unit) => {
      await countAll(unit);
      throw new Error("no");
    });
    await expect(run).rejects.toThrow("no");
    expect(await kept(setting, CHAT, USER, BOT)).toEqual([{ n: 1 }, { n: 1 }, { n: 1 }]);
    expect(await setting.engine.handle(message(2), countAll)).toBe("duplicate");
    await setting.engine.handle(message(3), countAll);
    expect(await kept(setting, CHAT, USER, BOT)).toEqual([{ n: 2 }, { n: 2 }, { n: 2 }]);
  });

  test('onHandlerError "keep": what a handler changed before it threw is kept (PTB statement 99)', async () => {
    const setting = await start({ onHandlerError: "keep" });
    let committed = false;
    const run = setting.engine.handle(message(1), async (unit) => {
      unit.afterCommit(() => void (committed = true));
      await countAll(unit);
      throw new Error("no");
    });
    await expect(run).rejects.toThrow("no");
    expect(committed).toBe(true);
    expect(await kept(setting, CHAT, USER, BOT)).toEqual([{ n: 1 }, { n: 1 }, { n: 1 }]);
    expect(await setting.engine.handle(message(1), countAll)).toBe("duplicate");
  });

  test("a value that cannot be kept rolls everything back and is named with its path", async () => {
    for (const onHandlerError of ["rollback", "keep"] as const) {
      const setting = await start({ onHandlerError });
      const run = setting.engine.handle(message(1, 1, 42), async (unit) => {
        chatData(unit).n = 7;
        userData(unit)["cart"] = [1, { save: () => {} }];
      });
      await expect(run).rejects.toThrow(withCode("PERDURE_CANNOT_KEEP"));
      await expect(run).rejects.toThrow(/^userData\.42\.cart\[1\]\.save: a function cannot be kept/);
      expect(await kept(setting, CHAT, { kind: "user", id: 42 })).toEqual([undefined, undefined]);
      expect(await setting.engine.handle(message(1), countAll)).toBe("duplicate");
    }
  });

  test("a handler whose updateBotData is not awaited is told so, and leaves nothing", async () => {
    const setting = await start();
    const holder = setting.engine.handle(message(1, 1, 1), async (unit) => {
      await unit.updateBotData(() => {});
      await settled();
    });
    const hasty = setting.engine.handle(message(2, 2, 2), async (unit) => {
      chatData(unit).n = 9;
      void unit.updateBotData((bot) => ((bot as Counts).n = 9));
      await Promise.resolve();
    });
    await expect(hasty).rejects.toThrow(/missing await/);
    await holder;
    expect(await kept(setting, { kind: "chat", id: 2 }, BOT)).toEqual([undefined, undefined]);
  });
});

describe("what is written", () => {
  test("a record that was only read, initial or not, is not written, and the done mark waits a second at most", async () => {
    const setting = await start();
    await setting.engine.handle(message(1), async (unit) => {
      expect(chatData(unit).n).toBe(0);
    });
    await settled();
    expect(setting.persistence.commits).toHaveLength(0);
    expect(await open(setting)).toEqual([1]);
    expect(await setting.engine.handle(message(1), countAll)).toBe("duplicate");
    await setting.clock.advance(1000);
    expect(await open(setting)).toEqual([]);
    expect(await kept(setting, CHAT, USER, BOT)).toEqual([undefined, undefined, undefined]);
    expect(await setting.engine.handle(message(1), countAll)).toBe("duplicate");
  });

  test("a done mark without changes rides with the next commit, and goes at stop", async () => {
    const setting = await start();
    await setting.engine.handle(message(1), async () => {});
    await setting.engine.handle(message(2), countAll);
    expect(setting.persistence.commits).toHaveLength(1);
    expect(await open(setting)).toEqual([]);
    await setting.engine.handle(message(3), async () => {});
    expect(await setting.engine.stop(1000)).toEqual([]);
    expect(await open(setting)).toEqual([]);
  });

  test("a done mark that is refused is reported, and the update stays open", async () => {
    const setting = await start();
    const refused = new PerdureError("PERDURE_REFUSED", "no such mark");
    setting.persistence.commit = () => {
      throw refused;
    };
    expect(await setting.engine.handle(message(1), async () => {})).toBe("handled");
    await setting.clock.advance(1000);
    expect(setting.reported).toEqual([refused]);
    expect(await open(setting)).toEqual([1]);
  });

  test("only what changed is written; assigning anew counts", async () => {
    const setting = await start();
    await setting.engine.handle(message(1), countAll);
    await setting.engine.handle(message(2), async (unit) => {
      chatData(unit).n += 0;
      unit.userData = { n: 1, list: [1] };
    });
    expect(setting.persistence.commits[1]?.[0]?.changes.map(({ key }) => key)).toEqual([USER]);
    expect(await kept(setting, USER)).toEqual([{ n: 1, list: [1] }]);
  });

  test("units that finish together share a commit", async () => {
    const setting = await start();
    const runs = Array.from({ length: 10 }, (_, id) =>
      setting.engine.handle(message(id, id + 1, id + 1), async (unit) => void (chatData(unit).n += 1)),
    );
    await Promise.all(runs);
    expect(setting.persistence.commits).toHaveLength(1);
  });
});

describe("values live as long as their unit", () => {
  test("afterwards every access says so", async () => {
    const { engine } = await start();
    let late: UnitOfWork | undefined;
    await engine.handle(message(1), async (unit) => void (late = unit));
    expect(() => late?.chatData).toThrow(withCode("PERDURE_UNIT_OVER"));
    expect(() => late && (late.userData = {})).toThrow(/missing await/);
    expect(() => late?.botData).toThrow(withCode("PERDURE_UNIT_OVER"));
    await expect(late?.updateBotData(() => {})).rejects.toThrow(withCode("PERDURE_UNIT_OVER"));
  });

  test("a value that was carried over is a dead copy", async () => {
    const setting = await start();
    let stolen: Counts = { n: 0 };
    await setting.engine.handle(message(1), async (unit) => {
      stolen = chatData(unit);
      stolen.n = 1;
    });
    stolen.n = 99;
    await setting.engine.handle(message(2), async (unit) => {
      expect(chatData(unit).n).toBe(1);
    });
  });

  test("an update without chat or user says which, and why", async () => {
    const { engine } = await start();
    const poll = { update_id: 1, poll: { id: "p" } } as never;
    await expect(engine.handle(poll, async (unit) => void unit.chatData)).rejects.toThrow(
      /update 1 \(poll\) belongs to no chat/,
    );
    const again = { update_id: 2, poll: { id: "p" } } as never;
    await expect(engine.handle(again, async (unit) => void unit.userData)).rejects.toThrow(withCode("PERDURE_NO_USER"));
  });
});

describe("the bot's data", () => {
  test("is read-only through and through", async () => {
    const setting = await start({
      schema: {
        ...SCHEMA,
        bot: {
          initial: () => ({ list: [{ a: 1 }], map: new Map([["k", new Set([1])]]), day: new Date(0) }),
          migrations: [],
        },
      },
    });
    await setting.engine.handle(message(1), async (unit) => {
      const bot = unit.botData as { list: { a: number }[]; map: Map<string, Set<number>>; day: Date; extra?: number };
      expect(() => (bot.extra = 1)).toThrow(TypeError);
      expect(() => bot.list.push({ a: 2 })).toThrow(TypeError);
      expect(() => ((bot.list[0] as { a: number }).a = 2)).toThrow(TypeError);
      expect(() => bot.map.set("x", new Set())).toThrow(/updateBotData/);
      expect(() => bot.map.get("k")?.add(2)).toThrow(/updateBotData/);
      expect(() => bot.day.setTime(5)).toThrow(/updateBotData/);
    });
    expect(await kept(setting, BOT)).toEqual([undefined]);
  });

  test("a change is seen at once by its unit, and by others after the commit", async () => {
    const { engine } = await start();
    const changed = Promise.withResolvers<void>();
    const seen = Promise.withResolvers<void>();
    const writer = engine.handle(message(1, 1, 1), async (unit) => {
      expect(await unit.updateBotData((bot) => ((bot as Counts).n = 5))).toBe(5);
      expect(unit.botData).toEqual({ n: 5 });
      changed.resolve();
      await seen.promise;
    });
    await changed.promise;
    await engine.handle(message(2, 2, 2), async (unit) => {
      expect(unit.botData).toEqual({ n: 0 });
    });
    seen.resolve();
    await writer;
    await engine.handle(message(3, 2, 2), async (unit) => {
      expect(unit.botData).toEqual({ n: 5 });
    });
  });

  test("a function that throws changes nothing; an asynchronous one is refused", async () => {
    const setting = await start();
    await setting.engine.handle(message(1), async (unit) => {
      const failing = unit.updateBotData((bot) => {
        (bot as Counts).n = 5;
        throw new Error("no");
      });
      await expect(failing).rejects.toThrow("no");
      await expect(unit.updateBotData(async () => {})).rejects.toThrow(TypeError);
      expect(unit.botData).toEqual({ n: 0 });
    });
    expect(await kept(setting, BOT)).toEqual([undefined]);
  });

  test("is owned until the commit: increments of many chats at a time all count", async () => {
    const setting = await start({ concurrency: 3 });
    const runs = Array.from({ length: 30 }, (_, id) =>
      setting.engine.handle(message(id, id + 1, id + 1), async (unit) => {
        await settled();
        await unit.updateBotData((bot) => ((bot as Counts).n += 1));
      }),
    );
    await Promise.all(runs);
    expect(await kept(setting, BOT)).toEqual([{ n: 30 }]);
  });
});

describe("turns", () => {
  test("updates of one chat, and of one user, run in order of arrival, unrelated ones side by side", async () => {
    const { engine } = await start();
    const log: string[] = [];
    const gate = Promise.withResolvers<void>();
    const run =
      (name: string, wait: boolean): Run =>
      async () => {
        log.push(`${name} begins`);
        if (wait) await gate.promise;
        log.push(`${name} ends`);
      };
    const runs = [
      engine.handle(message(1, 1, 1), run("1", true)),
      engine.handle(message(2, 1, 2), run("2", false)),
      engine.handle(message(3, 3, 2), run("3", false)),
      engine.handle(message(4, 4, 4), run("4", false)),
    ];
    await settled();
    expect(log).toEqual(["1 begins", "4 begins", "4 ends"]);
    gate.resolve();
    await Promise.all(runs);
    expect(log.slice(3)).toEqual(["1 ends", "2 begins", "2 ends", "3 begins", "3 ends"]);
  });

  test("service accounts give data and no turn; of two that change it at the same time, the later fails", async () => {
    const setting = await start();
    const anonymous = 1087968824;
    const gate = Promise.withResolvers<void>();
    const slow = setting.engine.handle(message(1, 1, anonymous), async (unit) => {
      userData(unit).n += 1;
      await gate.promise;
    });
    await setting.engine.handle(message(2, 2, anonymous), async (unit) => void (userData(unit).n += 10));
    gate.resolve();
    await expect(slow).rejects.toThrow(withCode("PERDURE_CONFLICT"));
    expect(await kept(setting, { kind: "user", id: anonymous })).toEqual([{ n: 10 }]);
  });

  test("concurrency bounds how many run, whatever waits", async () => {
    const { engine } = await start({ concurrency: 2 });
    let running = 0;
    let most = 0;
    const runs = Array.from({ length: 20 }, (_, id) =>
      engine.handle(message(id, id, id), async () => {
        running += 1;
        most = Math.max(most, running);
        await settled();
        running -= 1;
      }),
    );
    await Promise.all(runs);
    expect(most).toBe(2);
  });
});

describe("evolving", () => {
  test("an older record is brought up when it is read, and stored with its next change", async () => {
    const setting = await start();
    await setting.engine.handle(message(1), async (unit) => void (chatData(unit).n = 5));
    const renamed: Schema = {
      ...SCHEMA,
      chat: {
        initial: () => ({ count: 0 }),
        migrations: [
          (old: Counts) => ({ count: old.n }),
          (old: { count: number; by?: string }) => void (old.by = "v2"),
        ],
      },
    };
    const later = await restart(setting, { schema: renamed });
    await later.engine.handle(message(2), async (unit) => {
      expect(unit.chatData).toEqual({ count: 5, by: "v2" });
    });
    expect(await kept(later, CHAT)).toEqual([{ n: 5 }]);
    await later.engine.handle(message(3), async (unit) => void ((unit.chatData as { count: number }).count += 1));
    expect(await kept(later, CHAT)).toEqual([{ count: 6, by: "v2" }]);
    const last = await restart(later, { schema: renamed });
    await last.engine.handle(message(4), async (unit) => {
      expect(unit.chatData).toEqual({ count: 6, by: "v2" });
    });
  });

  test("a record of a newer version is an error, and is left as it is", async () => {
    const newer = { ...SCHEMA, chat: { ...counting, migrations: [() => {}] } };
    const setting = await start({ schema: newer });
    await setting.engine.handle(message(1), countAll);
    const older = await restart(setting);
    await expect(older.engine.handle(message(2), countAll)).rejects.toThrow(withCode("PERDURE_NEWER_RECORD"));
    await expect(older.engine.handle(message(3), async (unit) => void (unit.chatData = {}))).rejects.toThrow(
      withCode("PERDURE_NEWER_RECORD"),
    );
    expect(await kept(older, CHAT)).toEqual([{ n: 1 }]);
  });

  test("a migration that throws says which one and for which record", async () => {
    const setting = await start();
    await setting.engine.handle(message(1), countAll);
    const fail = (): never => {
      throw new Error("no");
    };
    const later = await restart(setting, {
      schema: { ...SCHEMA, user: { ...counting, migrations: [() => {}, fail] } },
    });
    await expect(later.engine.handle(message(2), countAll)).rejects.toThrow(
      /Migration 1 of user data failed for userData\.1/,
    );
    expect(await kept(later, USER)).toEqual([{ n: 1 }]);
  });

  test("text that a person has broken is an error of that chat, and is left as it is", async () => {
    const setting = await start();
    await setting.persistence.inner.commit([{ changes: [{ key: CHAT, record: { text: '{"n": 1', version: 0 } }] }]);
    await expect(setting.engine.handle(message(1), countAll)).rejects.toThrow(withCode("PERDURE_CANNOT_DECODE"));
    await setting.engine.handle(message(2, 2, 2), countAll);
    const [record] = await setting.persistence.inner.read([CHAT]);
    expect(record?.text).toBe('{"n": 1');
  });
});

describe("a persistence that fails", () => {
  const busy = (): never => {
    throw new PerdureError("PERDURE_BUSY", "busy");
  };

  test("a failed read: handlers do not run, and are not told that there is nothing", async () => {
    const setting = await start();
    await setting.engine.handle(message(1), countAll);
    setting.persistence.before = (operation) => operation === "read" && busy();
    let runs = 0;
    const handling = setting.engine.handle(message(2), async (unit) => {
      runs += 1;
      chatData(unit).n += 1;
    });
    await setting.clock.advance(60_000);
    expect(runs).toBe(0);
    expect(setting.reported).toEqual([withCode("PERDURE_BUSY")]);
    setting.persistence.before = () => {};
    await setting.clock.advance(10_000);
    await handling;
    expect(await kept(setting, CHAT)).toEqual([{ n: 2 }]);
  });

  test("a failed commit is tried again without running handlers again, and the turn is kept", async () => {
    const setting = await start();
    const runs: number[] = [];
    const count =
      (id: number): Run =>
      async (unit) => {
        runs.push(id);
        chatData(unit).n += id;
      };
    await setting.engine.inbox.accept([message(1), message(2)]);
    setting.persistence.before = (operation) => operation === "commit" && busy();
    const first = setting.engine.handle(message(1), count(1));
    const second = setting.engine.handle(message(2), count(10));
    await setting.clock.advance(60_000);
    expect(runs).toEqual([1]);
    expect(await kept(setting, CHAT)).toEqual([undefined]);
    setting.persistence.before = () => {};
    await setting.clock.advance(10_000);
    await Promise.all([first, second]);
    expect(runs).toEqual([1, 10]);
    expect(await kept(setting, CHAT)).toEqual([{ n: 11 }]);
  });

  test("of units that share a commit, one that is refused fails alone, and is done", async () => {
    const setting = await start();
    setting.persistence.before = (operation, units) => {
      const refused = units?.some(({ changes }) => changes.some(({ key }) => key.kind === "chat" && key.id === 2));
      if (operation === "commit" && refused === true) throw new PerdureError("PERDURE_REFUSED", "too large");
    };
    const runs = [1, 2, 3].map((id) =>
      setting.engine.handle(message(id, id, id), async (unit) => void (chatData(unit).n += 1)),
    );
    const results = await Promise.allSettled(runs);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await kept(setting, CHAT, { kind: "chat", id: 2 }, { kind: "chat", id: 3 })).toEqual([
      { n: 1 },
      undefined,
      { n: 1 },
    ]);
    expect(await open(setting)).toEqual([]);
    expect(await setting.engine.handle(message(2, 2, 2), countAll)).toBe("duplicate");
  });

  test("a stop while a commit cannot be made: the update stays in the inbox and runs again", async () => {
    const setting = await start();
    setting.persistence.before = (operation) => operation === "commit" && busy();
    const handling = setting.engine.handle(message(1), countAll);
    await settled();
    const stopping = setting.engine.stop(10_000);
    await setting.clock.advance(10_000);
    expect((await stopping).map(({ update_id }) => update_id)).toEqual([1]);
    expect(await handling).toBe("left");
    const again = await restart(setting);
    expect((await again.engine.inbox.replay(10)).map(({ update_id }) => update_id)).toEqual([1]);
    await again.engine.handle(message(1), countAll);
    expect(await kept(again, CHAT)).toEqual([{ n: 1 }]);
  });
});

describe("stopping and replaying", () => {
  test("what was accepted and not handled is replayed in order of arrival, page by page, once", async () => {
    const setting = await start();
    const ids = Array.from({ length: 250 }, (_, index) => (index * 7919) % 1000);
    await setting.engine.inbox.accept(ids.map((id) => message(id)));
    const later = await restart(setting);
    const replayed: number[] = [];
    for (;;) {
      const page = await later.engine.inbox.replay(100);
      if (page.length === 0) break;
      expect(page.length).toBeLessThanOrEqual(100);
      replayed.push(...page.map(({ update_id }) => update_id));
    }
    expect(replayed).toEqual(ids);
  });

  test("a stop waits for what runs, starts nothing more, and leaves it in the inbox", async () => {
    const setting = await start();
    await setting.engine.inbox.accept([message(1), message(2), message(3, 3, 3)]);
    const gate = Promise.withResolvers<void>();
    const running = setting.engine.handle(message(1), async (unit) => {
      await gate.promise;
      chatData(unit).n += 1;
    });
    const waiting = setting.engine.handle(message(2), countAll);
    await settled();
    const stopping = setting.engine.stop(10_000);
    expect(await setting.engine.handle(message(3, 3, 3), countAll)).toBe("left");
    gate.resolve();
    expect(await running).toBe("handled");
    expect(await waiting).toBe("left");
    expect(await stopping).toEqual([]);
    expect(await open(setting)).toEqual([2, 3]);
    expect(await kept(setting, CHAT)).toEqual([{ n: 1 }]);
  });

  test("an update that comes by itself while stopping is accepted, and left; when that is too late, it is an error", async () => {
    const setting = await start();
    void setting.engine.handle(message(9), () => new Promise(() => {}));
    await settled();
    const stopping = setting.engine.stop(10_000);
    expect(await setting.engine.handle(message(1), countAll)).toBe("left");
    await setting.clock.advance(10_000);
    await stopping;
    expect(await open(setting)).toEqual([9, 1]);
    await expect(setting.engine.handle(message(2), countAll)).rejects.toThrow(withCode("PERDURE_STOPPED"));
    expect(await open(setting)).toEqual([9, 1]);
  });

  test("a handler that hangs is given up after the timeout: its late changes are not kept", async () => {
    const setting = await start();
    const gate = Promise.withResolvers<void>();
    const hung = setting.engine.handle(message(1), async (unit) => {
      chatData(unit).n = 1;
      await gate.promise;
    });
    await settled();
    const stopping = setting.engine.stop(10_000);
    await setting.clock.advance(10_000);
    expect((await stopping).map(({ update_id }) => update_id)).toEqual([1]);
    gate.resolve();
    expect(await hung).toBe("left");
    expect(await kept(setting, CHAT)).toEqual([undefined]);
    expect(await open(setting)).toEqual([1]);
  });

  test("a loop that starts anew is handed again what nobody runs, and only that", async () => {
    const setting = await start();
    await setting.engine.inbox.accept([message(1, 1, 1), message(2, 2, 2), message(3, 3, 3)]);
    const gate = Promise.withResolvers<void>();
    const running = setting.engine.handle(message(1, 1, 1), () => gate.promise);
    await setting.engine.handle(message(2, 2, 2), countAll);
    setting.engine.inbox.restart();
    expect((await setting.engine.inbox.replay(10)).map(({ update_id }) => update_id)).toEqual([3]);
    gate.resolve();
    await running;
  });

  test("dropPending marks what waits as done, and not what runs", async () => {
    const setting = await start();
    await setting.engine.inbox.accept([message(1, 1, 1), message(2, 2, 2), message(3, 3, 3)]);
    const gate = Promise.withResolvers<void>();
    const running = setting.engine.handle(message(1, 1, 1), async (unit) => {
      await gate.promise;
      chatData(unit).n += 1;
    });
    await setting.engine.dropPending();
    expect(await setting.engine.handle(message(2, 2, 2), countAll)).toBe("duplicate");
    gate.resolve();
    expect(await running).toBe("handled");
    expect(await open(setting)).toEqual([]);
    expect(await kept(setting, CHAT, BOT)).toEqual([{ n: 1 }, undefined]);
  });
});

describe("afterCommit", () => {
  test("runs when the changes are durable, in order; its errors are reported; not after a rollback", async () => {
    const setting = await start();
    const log: unknown[] = [];
    await setting.engine.handle(message(1), async (unit) => {
      chatData(unit).n += 1;
      unit.afterCommit(async () => void log.push(await kept(setting, CHAT)));
      unit.afterCommit(() => {
        throw new Error("late");
      });
      unit.afterCommit(() => void log.push("last"));
    });
    expect(log).toEqual([[{ n: 1 }], "last"]);
    expect(setting.reported).toEqual([expect.objectContaining({ message: "late" })]);
    const failing = setting.engine.handle(message(2), async (unit) => {
      unit.afterCommit(() => void log.push("never"));
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(log).not.toContain("never");
  });
});

const refused = (): never => {
  throw new PerdureError("PERDURE_REFUSED", "refused");
};

const busyOnce = (operation: string): ((now: string) => void) => {
  let failed = false;
  return (now) => {
    if (now !== operation || failed) return;
    failed = true;
    throw new PerdureError("PERDURE_BUSY", "busy");
  };
};

describe("several updateBotData in one handler", () => {
  const set = (unit: UnitOfWork, key: string): Promise<unknown> =>
    unit.updateBotData((bot) => ((bot as Counts)[key] = 1));

  test("all count, whichever microtask the second begins in, whether reading takes time or not", async () => {
    for (const persistence of [new FailingPersistence(newSqlite()), newSqlite()]) {
      const { engine } = await makeEngine(persistence);
      const keys: string[] = [];
      for (let ticks = 0; ticks < 20; ticks += 1) {
        keys.push(`a${ticks}`, `b${ticks}`);
        await engine.handle(message(ticks), async (unit) => {
          const later = async (): Promise<void> => {
            for (let tick = 0; tick < ticks; tick += 1) await undefined;
            await set(unit, `b${ticks}`);
          };
          await Promise.all([set(unit, `a${ticks}`), later()]);
        });
      }
      await engine.handle(message(99), async ({ botData }) => {
        expect(Object.keys(botData as Counts)).toEqual(expect.arrayContaining(keys));
      });
    }
  });

  test("all count when they wait for another unit, and when the bot's data cannot be read at first", async () => {
    const setting = await start();
    const { engine, persistence, clock } = setting;
    const gate = Promise.withResolvers<void>();
    const owner = engine.handle(message(1, 1, 1), async (unit) => {
      await set(unit, "owner");
      await gate.promise;
    });
    await settled();
    const waiting = engine.handle(message(2, 2, 2), async (unit) => {
      await Promise.all([set(unit, "a"), set(unit, "b"), set(unit, "c")]);
    });
    await settled();
    persistence.before = busyOnce("read");
    gate.resolve();
    await clock.advance(1000);
    await Promise.all([owner, waiting]);
    expect(await kept(setting, BOT)).toEqual([{ n: 0, owner: 1, a: 1, b: 1, c: 1 }]);
  });
});

describe("the bot's data between units", () => {
  const read =
    (seen: unknown[]): Run =>
    async (unit) =>
      void seen.push(unit.botData);

  test("a change whose commit fails is never seen", async () => {
    const setting = await start();
    const seen: unknown[] = [];
    await setting.engine.handle(message(1), countAll);
    setting.persistence.before = (operation, units) =>
      units?.[0]?.changes.length !== 0 && operation === "commit" && refused();
    const failing = setting.engine.handle(message(2), countAll);
    await expect(failing).rejects.toThrow(withCode("PERDURE_REFUSED"));
    await setting.engine.handle(message(3), read(seen));
    expect(seen).toEqual([{ n: 1 }]);
  });

  test("a change is not seen while its commit is under way", async () => {
    const { engine, persistence } = await start();
    const seen: unknown[] = [];
    const answer = Promise.withResolvers<void>();
    persistence.before = (operation) => (operation === "commit" ? answer.promise : undefined);
    const writer = engine.handle(message(1, 1, 1), countAll);
    await settled();
    await engine.handle(message(2, 2, 2), read(seen));
    answer.resolve();
    await writer;
    await engine.handle(message(3, 3, 3), read(seen));
    expect(seen).toEqual([{ n: 0 }, { n: 1 }]);
  });

  test("a slow read of an old state does not bring it back over a newer commit", async () => {
    const { engine, persistence } = await start();
    const seen: unknown[] = [];
    const answer = Promise.withResolvers<void>();
    const { inner } = persistence;
    let reads = 0;
    persistence.read = async (keys) => {
      const records = await inner.read(keys);
      if ((reads += 1) === 1) await answer.promise;
      return records;
    };
    const slow = engine.handle(message(1, 1, 1), async () => {});
    await settled();
    await engine.handle(message(2, 2, 2), countAll);
    answer.resolve();
    await slow;
    await engine.handle(message(3, 3, 3), read(seen));
    expect(seen).toEqual([{ n: 1 }]);
  });

  test("what a handler has done to bytes and to instances of classes is seen by nobody else", async () => {
    class Cart {
      #n = 0;
      get n(): number {
        return this.#n;
      }
      set(n: number): Cart {
        this.#n = n;
        return this;
      }
    }
    const codec = jsonCodec().register("Cart", Cart, {
      encode: (cart) => cart.n,
      decode: (n) => new Cart().set(n as number),
    });
    const initial = (): unknown => ({ bytes: new Uint8Array(1), cart: new Cart() });
    const { engine } = await makeEngine(newSqlite(undefined, { codec }), {
      schema: { ...SCHEMA, bot: { initial, migrations: [] } },
    });
    type Kept = { bytes: Uint8Array; cart: Cart };
    await engine.handle(message(1), async (unit) => {
      const { bytes, cart } = unit.botData as Kept;
      bytes[0] = 7;
      cart.set(7);
    });
    await engine.handle(message(2), async (unit) => {
      const { bytes, cart } = unit.botData as Kept;
      expect([bytes[0], cart.n]).toEqual([0, 0]);
    });
  });
});

describe("initial values that share parts with the program's own objects", () => {
  test("do not carry a chat's changes to another chat", async () => {
    const defaults = { list: [] as string[] };
    const { engine } = await start({
      schema: { ...SCHEMA, chat: { initial: () => ({ ...defaults }), migrations: [] } },
    });
    await engine.handle(message(1, 1, 1), async (unit) => void (unit.chatData as typeof defaults).list.push("mine"));
    await engine.handle(message(2, 2, 2), async (unit) => {
      expect(unit.chatData).toEqual({ list: [] });
    });
    expect(defaults.list).toEqual([]);
  });

  test("are not frozen when the bot's data is read", async () => {
    const tags: string[] = [];
    const { engine } = await start({ schema: { ...SCHEMA, bot: { initial: () => ({ tags }), migrations: [] } } });
    await engine.handle(message(1), async (unit) => {
      expect(unit.botData).toEqual({ tags: [] });
    });
    expect(Object.isFrozen(tags)).toBe(false);
  });
});

describe("what an update may do to others", () => {
  test("a failed updateBotData rolls its unit back, also when the handler catches the error", async () => {
    const setting = await start();
    await setting.engine.handle(message(1), countAll);
    const hasty = setting.engine.handle(message(2), async (unit) => {
      chatData(unit).n = 9;
      setting.persistence.before = (operation) => operation === "read" && refused();
      await expect(unit.updateBotData(() => {})).rejects.toThrow(withCode("PERDURE_REFUSED"));
      setting.persistence.before = () => {};
    });
    await expect(hasty).rejects.toThrow(withCode("PERDURE_REFUSED"));
    expect(await kept(setting, CHAT)).toEqual([{ n: 1 }]);
    expect(await setting.engine.handle(message(2), countAll)).toBe("duplicate");
  });

  test("one that waits for the bot's data lets others run, and has a slot again before it goes on", async () => {
    const { engine } = await start({ concurrency: 2 });
    const log: string[] = [];
    const gates = new Map<string, () => void>();
    const hold = async (name: string): Promise<void> => {
      log.push(name);
      await new Promise<void>((resolve) => gates.set(name, resolve));
    };
    const own =
      (name: string): Run =>
      async (unit) => {
        await unit.updateBotData(() => {});
        await hold(name);
      };
    const runs = [engine.handle(message(1, 1, 1), own("owner"))];
    await settled();
    runs.push(engine.handle(message(2, 2, 2), own("waiter")));
    await settled();
    for (const id of [3, 4]) runs.push(engine.handle(message(id, id, id), () => hold(`other ${id}`)));
    await settled();
    expect(log).toEqual(["owner", "other 3"]);
    gates.get("owner")?.();
    await settled();
    // The fourth has waited longer for a slot.
    expect(log).toEqual(["owner", "other 3", "other 4"]);
    gates.get("other 3")?.();
    await settled();
    expect(log).toEqual(["owner", "other 3", "other 4", "waiter"]);
    for (const release of gates.values()) release();
    await Promise.all(runs);
  });

  test("a branch that waits for the bot's data while another branch fails is let go", async () => {
    const { engine } = await start();
    const gate = Promise.withResolvers<void>();
    const owner = engine.handle(message(1, 1, 1), async (unit) => {
      await unit.updateBotData(() => {});
      await gate.promise;
    });
    await settled();
    let branch: Promise<unknown> = Promise.resolve();
    const failing = engine.handle(message(2, 2, 2), async (unit) => {
      branch = unit.updateBotData(() => {});
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    await expect(branch).rejects.toThrow(withCode("PERDURE_UNIT_OVER"));
    gate.resolve();
    await owner;
  });

  test("of two that would wait for each other, the one that closes the circle is rolled back, and the other goes on", async () => {
    const setting = await start();
    // Accounts that stand for everybody have no turn: they are owned at the end, in the order in which they were named.
    const accounts = [777000, 1087968824] as const;
    const add = (users: readonly number[]): Promise<void> =>
      setting.engine.transaction({ users }, async (unit) => {
        for (const id of users) (unit.valueOf("user", id).get() as Counts).n += 1;
      });
    const results = await Promise.allSettled([add(accounts), add(accounts.toReversed())]);
    expect(results).toEqual([
      { status: "fulfilled", value: undefined },
      { status: "rejected", reason: withCode("PERDURE_DEADLOCK") },
    ]);
    expect(await kept(setting, ...accounts.map((id): RecordKey => ({ kind: "user", id })))).toEqual([
      { n: 1 },
      { n: 1 },
    ]);
  });

  test("what the codec gives instead of text fails its unit only", async () => {
    const codec = { encode: (value: unknown) => JSON.stringify(value), decode: (text: string) => JSON.parse(text) };
    const { engine } = await makeEngine(newSqlite(undefined, { codec }));
    const bad = engine.handle(message(1, 1, 1), async (unit) => void (unit.chatData = undefined));
    await expect(bad).rejects.toThrow(withCode("PERDURE_CANNOT_KEEP"));
    expect(await engine.handle(message(2, 2, 2), countAll)).toBe("handled");
  });
});

describe("while a tool has the persistence exclusively", () => {
  test("updates and commits wait for its end, and nothing of theirs goes with a work that fails", async () => {
    const { engine, persistence, clock } = await makeEngine(newSqlite());
    const [tool, handler] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const first = engine.handle(message(1), async (unit) => {
      chatData(unit).n += 1;
      await handler.promise;
    });
    await settled();
    const failing = persistence.exclusively(async () => {
      await persistence.updateChatData(1, { n: 100 });
      await tool.promise;
      throw new Error("no");
    });
    const accepting = engine.inbox.accept([message(2, 2, 2)]);
    const third = engine.handle(message(3, 3, 3), countAll);
    handler.resolve();
    await clock.advance(1000);
    expect(await Promise.all([first, accepting, third].map(isSettled))).toEqual([false, false, false]);
    tool.resolve();
    await expect(failing).rejects.toThrow("no");
    await clock.advance(10_000);
    expect([await first, await accepting, await third]).toEqual(["handled", [message(2, 2, 2)], "handled"]);
    await engine.inbox.sync();
    const records = persistence.read([CHAT, { kind: "chat", id: 3 }]);
    expect(records.map((record) => record?.text)).toEqual(['{"n":1}', '{"n":1}']);
    expect(persistence.openUpdates({ limit: 9 }).map(({ updateId }) => updateId)).toEqual([2]);
  });
});

describe("odd updates", () => {
  test("one without an id is refused, not retried for ever", async () => {
    const { engine } = await start();
    await expect(engine.handle({ message: { chat: { id: 1 } } } as never, countAll)).rejects.toThrow(TypeError);
  });

  test("one whose message is nothing is done, and does not hold up a stop", async () => {
    const setting = await start();
    const odd = setting.engine.handle({ update_id: 5, message: null } as never, async () => {});
    await odd.catch(() => {});
    expect(await isSettled(setting.engine.stop(10_000))).toBe(true);
    expect(await open(setting)).toEqual([]);
  });
});

describe("delivered twice", () => {
  test('with onHandlerError "keep", one whose handler threw without changes does not run again within the second', async () => {
    const { engine } = await start({ onHandlerError: "keep" });
    let runs = 0;
    const run: Run = async () => {
      runs += 1;
      throw new Error("no");
    };
    await expect(engine.handle(message(1), run)).rejects.toThrow("no");
    expect(await engine.handle(message(1), run)).toBe("duplicate");
    expect(runs).toBe(1);
  });

  test("while its commit is under way, it does not run again", async () => {
    const setting = await start();
    const answer = Promise.withResolvers<void>();
    setting.persistence.before = (operation) => (operation === "commit" ? answer.promise : undefined);
    const first = setting.engine.handle(message(1), countAll);
    await settled();
    const second = setting.engine.handle(message(1), countAll);
    answer.resolve();
    expect(await Promise.all([first, second])).toEqual(["handled", "duplicate"]);
    expect(await kept(setting, CHAT)).toEqual([{ n: 1 }]);
  });

  test("of which one is accepted late, it runs once", async () => {
    const setting = await start();
    const late = Promise.withResolvers<void>();
    setting.persistence.after = (operation) => (operation === "accept" ? late.promise : undefined);
    const both = [setting.engine.handle(message(1), countAll), setting.engine.handle(message(1), countAll)];
    await settled();
    late.resolve();
    expect((await Promise.all(both)).toSorted()).toEqual(["duplicate", "handled"]);
    expect(await kept(setting, CHAT)).toEqual([{ n: 1 }]);
  });

  test("the order of arrival holds when the first accept must be tried again", async () => {
    const { engine, persistence, clock } = await start();
    persistence.before = busyOnce("accept");
    const log: number[] = [];
    const runs = [1, 2].map((id) => engine.handle(message(id), async () => void log.push(id)));
    await clock.advance(1000);
    await Promise.all(runs);
    expect(log).toEqual([1, 2]);
  });
});

test("an update that comes by itself does not run before it is in the inbox", async () => {
  const setting = await start();
  const { engine, persistence, clock } = setting;
  persistence.before = (operation) => {
    if (operation === "accept") throw new PerdureError("PERDURE_BUSY", "busy");
  };
  const seen: unknown[] = [];
  const handling = engine.handle(message(1), async () => void seen.push(await open(setting)));
  await clock.advance(60_000);
  expect(seen).toEqual([]);
  persistence.before = () => {};
  await clock.advance(10_000);
  expect([await handling, seen]).toEqual(["handled", [[1]]]);
});

test("an update that comes by itself asks for the replay of what an earlier run has left, and is left to it", async () => {
  const first = await start();
  await first.engine.inbox.accept([message(1)]);
  let asked = 0;
  const { engine } = await restart(first, { onReplayNeeded: () => void (asked += 1) });
  const log: number[] = [];
  const note: (id: number) => Run = (id) => async () => void log.push(id);
  expect(await engine.handle(message(2), note(2))).toBe("duplicate");
  expect(await engine.handle(message(1), note(1))).toBe("duplicate");
  expect([asked, log]).toEqual([2, []]);
  for (let page = await engine.inbox.replay(10); page.length > 0; page = await engine.inbox.replay(10)) {
    await Promise.all(page.map((update) => engine.handle(update, note(update.update_id))));
  }
  expect(log).toEqual([1, 2]);
});

describe("after the handlers", () => {
  test("a slow afterCommit does not hold the turn", async () => {
    const { engine } = await start();
    const gate = Promise.withResolvers<void>();
    const slow = engine.handle(message(1), async (unit) => {
      chatData(unit).n += 1;
      unit.afterCommit(() => gate.promise);
    });
    await engine.handle(message(2), async (unit) => {
      expect(chatData(unit).n).toBe(1);
    });
    expect(await isSettled(slow)).toBe(false);
    gate.resolve();
    await slow;
  });

  test("afterCommit of an update that changed nothing runs when its done mark is durable", async () => {
    const setting = await start();
    const seen: unknown[] = [];
    await setting.engine.handle(message(1), async (unit) => {
      unit.afterCommit(async () => void seen.push(await open(setting)));
    });
    expect(seen).toEqual([[]]);
  });

  test("no afterCommit of a commit that was refused", async () => {
    const setting = await start();
    let called = false;
    setting.persistence.before = (operation, units) =>
      operation === "commit" && units?.[0]?.changes.length !== 0 && refused();
    const handling = setting.engine.handle(message(1), async (unit) => {
      unit.afterCommit(() => void (called = true));
      await countAll(unit);
    });
    await expect(handling).rejects.toThrow(withCode("PERDURE_REFUSED"));
    expect(called).toBe(false);
  });
});

describe("a stop that does not wait longer", () => {
  /** An update whose handler never ends, and a stop that waits for it. */
  async function hung(setting: Setting, run: Run = () => new Promise(() => {})): Promise<readonly Update[]> {
    void setting.engine.handle(message(100, 100, 100), run);
    await settled();
    return setting.engine.stop(10_000);
  }

  test("done marks of what changed nothing are durable at its beginning", async () => {
    const setting = await start();
    await setting.engine.handle(message(1), async () => {});
    void hung(setting);
    await settled();
    await settled();
    expect(await open(setting)).toEqual([100]);
  });

  test("an update of a chat whose handler hangs is left at once", async () => {
    const setting = await start();
    void setting.engine.handle(message(1), () => new Promise(() => {}));
    await settled();
    const stopping = setting.engine.stop(10_000);
    expect(await isSettled(setting.engine.handle(message(2), countAll))).toBe(true);
    await setting.clock.advance(10_000);
    expect((await stopping).map(({ update_id }) => update_id)).toEqual([1]);
    expect(await open(setting)).toEqual([1, 2]);
  });

  test("a handler that was given up touches nothing any more", async () => {
    const setting = await start();
    const gate = Promise.withResolvers<void>();
    const late: unknown[] = [];
    const handling = setting.engine.handle(message(1), async (unit) => {
      await gate.promise;
      try {
        chatData(unit).n += 1;
      } catch (error) {
        late.push(error);
      }
    });
    await settled();
    const stopping = setting.engine.stop(1000);
    await setting.clock.advance(1000);
    await stopping;
    gate.resolve();
    expect(await handling).toBe("left");
    expect(late).toEqual([withCode("PERDURE_UNIT_OVER")]);
  });

  test("what waits for the bot's data, or for a turn, settles", async () => {
    const setting = await start();
    const stopping = hung(setting, async (unit) => {
      await unit.updateBotData(() => {});
      await new Promise(() => {});
    });
    const waiting = [
      setting.engine.handle(message(2, 2, 2), countAll),
      setting.engine.handle(message(3, 100, 100), countAll),
    ];
    await setting.clock.advance(10_000);
    await stopping;
    expect(await Promise.all(waiting)).toEqual(["left", "left"]);
  });

  test("a commit that works at last while stopping counts", async () => {
    const setting = await start();
    setting.persistence.before = busyOnce("commit");
    const handling = setting.engine.handle(message(1), countAll);
    await settled();
    const stopping = setting.engine.stop(10_000);
    await setting.clock.advance(1000);
    expect([await handling, await stopping]).toEqual(["handled", []]);
    expect(await open(setting)).toEqual([]);
  });

  test("a timeout longer than Node's timers take is not over at once", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const { engine } = await start({ clock: systemClock as DrivenClock });
    const gate = Promise.withResolvers<void>();
    const handling = engine.handle(message(1), () => gate.promise);
    await settled();
    const stopping = engine.stop(30 * 24 * 60 * 60 * 1000);
    await vi.advanceTimersByTimeAsync(24 * 60 * 60 * 1000);
    expect(await isSettled(stopping)).toBe(false);
    gate.resolve();
    expect([await handling, await stopping]).toEqual(["handled", []]);
  });
});

describe("updates that are run more than once", () => {
  const hang: Run = () => new Promise(() => {});

  test("an orderly stop is no failure of what it interrupts: it is never set aside for it", async () => {
    let setting = await start();
    await setting.engine.inbox.accept([message(1)]);
    for (let round = 1; round <= 5; round += 1) {
      setting = await restart(setting);
      const [again] = await setting.engine.inbox.replay(10);
      void setting.engine.handle(again as Update, hang);
      await settled();
      const stopping = setting.engine.stop(1000);
      await setting.clock.advance(1000);
      expect(await stopping).toHaveLength(1);
    }
    const last = await restart(setting);
    const [again] = await last.engine.inbox.replay(10);
    expect(await last.engine.handle(again as Update, countAll)).toBe("handled");
    expect(await last.engine.failedUpdates()).toEqual([]);
  });

  test("what ends the process each time is set aside, listed, and its chat goes on", async () => {
    let setting = await start();
    await setting.engine.inbox.accept([message(1), message(2)]);
    // The first run is not counted; the process ends in it, and in each replay, without an orderly stop.
    for (let round = 1; round <= 2; round += 1) {
      setting = await restart(setting);
      const [again] = await setting.engine.inbox.replay(1);
      void setting.engine.handle(again as Update, hang);
      await settled();
    }
    const last = await restart(setting);
    const [first, second] = await last.engine.inbox.replay(10);
    expect(await last.engine.handle(first as Update, countAll)).toBe("set aside");
    expect(await last.engine.handle(second as Update, countAll)).toBe("handled");
    expect(await last.engine.failedUpdates()).toMatchObject([{ update: { update_id: 1 }, attempts: 3 }]);
    expect(last.reported).toEqual([withCode("PERDURE_SET_ASIDE")]);
    expect(await last.engine.handle(message(1), countAll)).toBe("duplicate");
  });

  test("a replayed update runs alone, but not for ever when it hangs", async () => {
    const first = await start();
    await first.engine.inbox.accept([message(1)]);
    const { engine, clock } = await restart(first);
    const [again] = await engine.inbox.replay(10);
    await engine.inbox.replay(10);
    void engine.handle(again as Update, hang);
    const other = engine.handle(message(2, 2, 2), countAll);
    expect(await isSettled(other)).toBe(false);
    await clock.advance(61_000);
    expect(await other).toBe("handled");
  });
});

test("an update that came while the replay ended takes its turn before the next, however long a flush takes", async () => {
  const first = await start();
  await first.persistence.accept([message(1)]);
  const { engine, persistence } = await restart(first);
  const [accepting, flushing] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const waits: Record<string, Promise<void>> = { accept: accepting.promise, sync: flushing.promise };
  persistence.before = (operation) => waits[operation];
  const order: number[] = [];
  const run = (id: number) => async (): Promise<void> => void order.push(id);
  const second = engine.handle(message(2), run(2));
  await settled();
  engine.inbox.endReplay();
  accepting.resolve();
  await settled();
  const third = engine.handle(message(3), run(3));
  await settled();
  flushing.resolve();
  await Promise.all([second, third]);
  expect(order).toEqual([2, 3]);
});
