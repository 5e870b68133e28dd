import { expect, test } from "vitest";
import { change } from "../../test/support/opened-sqlite.ts";
import { silentLogger } from "../../test/support/silent-logger.ts";
import type { RecordKey } from "../data/record.ts";
import { LargeRecords } from "./large-records.ts";

const LIMIT = 256 * 1024;

function make() {
  const warnings: string[] = [];
  const large = new LargeRecords({ ...silentLogger, warn: (text) => void warnings.push(text) });
  const report = (key: RecordKey, length: number): void => large.report([change(key, "x".repeat(length))]);
  return { large, report, warnings };
}

test("data of a scope that has grown beyond 256 KB is told once per record, with its size and the remedy", () => {
  const { report, warnings } = make();
  for (const key of [{ kind: "bot" }, { kind: "chat", id: 1 }, { kind: "user", id: 1 }] as const) {
    report(key, LIMIT);
    expect(warnings).toEqual([]);
    report(key, LIMIT + 1);
    report(key, 3 * LIMIT);
    report(key, 10);
    report(key, 2 * LIMIT);
    expect(warnings.splice(0)).toEqual([expect.stringMatching(/ has grown to 256 KB.*app\.collection\(name\)/)]);
  }
  report({ kind: "chat", id: 2 }, 2 * LIMIT);
  expect(warnings).toEqual([expect.stringMatching(/^chatData\.2 has grown to 512 KB/)]);
});

test("what is removed is not told, and neither are other kinds of records", () => {
  const { large, report, warnings } = make();
  large.report([change({ kind: "chat", id: 1 }, undefined)]);
  report({ kind: "entry", collection: "orders", id: "a" }, 2 * LIMIT);
  report({ kind: "job", id: "a" }, 2 * LIMIT);
  expect(warnings).toEqual([]);
});
