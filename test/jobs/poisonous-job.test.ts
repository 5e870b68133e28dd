import { join } from "node:path";
import { expect, test } from "vitest";
import { Child } from "../support/child.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const PROGRAM = new URL("../support/poisonous-job-bot.ts", import.meta.url).pathname;

test("a job that ends the process is begun maxAttempts times, then kept as failed; the others run, each once", async () => {
  const cwd = temporaryFolder();
  const start = (): Child => new Child(PROGRAM, [join(cwd, "bot.sqlite")], { cwd });
  for (let attempt = 1; attempt <= 3; attempt += 1) expect((await start().exited).signal).toBe("SIGABRT");
  const child = start();
  const { ran, failed } = JSON.parse(await child.line("ran")) as { ran: string[]; failed: unknown };
  expect(ran.sort()).toEqual(["a", "b", "c", "d"]);
  expect(failed).toEqual([["poison", 3]]);
  expect(child.errors.join("\n")).toMatch(/The job "poison" was begun 3 times and never ended/);
  expect(await child.exited).toEqual({ code: 0, signal: null });
});
