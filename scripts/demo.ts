// A bot process, an emulated Telegram in a process of its own, and two people. The bot is killed in the middle of a
// handler, with updates waiting, and started again. The exit status is 0 only if nothing was lost and nothing counted twice.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";
import { TelegramEmulator, type EmulatedUser } from "perdure/testing";
import { heading, row, says, shout, tell } from "./stage.ts";

const LONGEST = 30_000; // milliseconds

const folder = mkdtempSync(join(tmpdir(), "perdure-demo-"));
const file = join(folder, "notes-bot.sqlite");
const emulator = await TelegramEmulator.spawn();
const { token } = await emulator.createBot({ username: "notes_bot" });
const ann = await emulator.createUser({ firstName: "Ann", bot: token });
const bob = await emulator.createUser({ firstName: "Bob", bot: token });
let bot: ChildProcess | undefined;

const tooLong = setTimeout(() => {
  shout(`The demonstration took more than ${LONGEST / 1000} seconds.`);
  bot?.kill("SIGKILL");
  process.exit(1);
}, LONGEST);

try {
  process.exitCode = (await play()) ? 0 : 1;
} finally {
  clearTimeout(tooLong);
  bot?.kill("SIGKILL");
  await emulator.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function play(): Promise<boolean> {
  heading("A bot that remembers (examples/notes-bot.ts)");
  await startBot();
  await talk(ann, "milk");
  await talk(ann, "eggs");

  heading("It is killed in the middle of a handler, with updates waiting");
  await killInHandler();

  heading("It is started again");
  await startBot();
  await hear(ann, "again: a crash between a send and the commit repeats the send");
  await hear(ann);
  await hear(ann);
  await talk(bob, "coffee");
  await talk(ann, "/notes");
  await emulator.untilConfirmed(token);
  await stopBot();
  return report();
}

/** The bot has sent its answer to "bread" and waits for Telegram, so nothing of this update is kept yet. */
async function killInHandler(): Promise<void> {
  const inHandler = await emulator.fault({ method: "sendMessage", kind: "hang", afterEffect: true });
  await write(ann, "bread");
  await inHandler.hit();
  await hear(ann, "sent; Telegram's confirmation does not arrive, the handler waits");
  // What the bot accepts from here on it does not get to confirm: Telegram will deliver it again.
  const confirming = await emulator.fault({ method: "getUpdates", kind: "hang" });
  await write(ann, "salt", "accepted; waits for Ann's turn");
  await confirming.hit();
  await write(ann, "rice", "waits at Telegram");
  shout(`kill -9 ${bot?.pid}`);
  bot?.kill("SIGKILL");
  await ended();
}

async function startBot(): Promise<void> {
  const example = new URL("../examples/notes-bot.ts", import.meta.url).pathname;
  const env = { ...process.env, BOT_TOKEN: token, BOT_FILE: file, BOT_API_ROOT: emulator.url };
  bot = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", example], { env, stdio: "inherit" });
  tell(`bot process ${bot.pid}`);
  await emulator.untilPolling(token);
}

async function stopBot(): Promise<void> {
  bot?.kill("SIGTERM");
  await ended();
}

async function ended(): Promise<void> {
  if (bot !== undefined && bot.exitCode === null && bot.signalCode === null) await once(bot, "exit");
}

async function talk(user: EmulatedUser, text: string): Promise<void> {
  await write(user, text);
  await hear(user);
}

async function write(user: EmulatedUser, text: string, remark?: string): Promise<void> {
  await user.send(text);
  says(user === ann ? "Ann" : "Bob", text, remark);
}

async function hear(user: EmulatedUser, remark?: string): Promise<void> {
  const { text = "" } = await user.nextReply();
  says("bot", text, remark);
}

/** What the file says, as anybody may read it. */
function kept(table: string, id: number): unknown {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return JSON.parse(String(database.prepare(`select data from ${table} where id = ?`).get(id)?.["data"] ?? "null"));
  } finally {
    database.close();
  }
}

async function report(): Promise<boolean> {
  heading("What Telegram delivered, and what the bot kept");
  const deliveries = [...(await emulator.deliveries(token)).values()];
  const total = deliveries.reduce((sum, times) => sum + times, 0);
  row("updates (6 notes and /notes)", deliveries.length, deliveries.length === 7);
  row("deliveries of them", total);
  row("redelivered, and recognised", total - deliveries.length, total > deliveries.length);
  const checks: [what: string, found: unknown, expected: unknown][] = [
    ["notes in Ann's chat", kept("chat_data", ann.id), { notes: ["milk", "eggs", "bread", "salt", "rice"] }],
    ["notes in Bob's chat", kept("chat_data", bob.id), { notes: ["coffee"] }],
    ["counted for Ann", kept("user_data", ann.id), { notes: 5 }],
    ["counted for Bob", kept("user_data", bob.id), { notes: 1 }],
    ["counted for the bot", kept("bot_data", 1), { notes: 6 }],
  ];
  for (const [what, found, expected] of checks) row(what, JSON.stringify(found), isDeepStrictEqual(found, expected));
  const right =
    deliveries.length === 7 &&
    total > deliveries.length &&
    checks.every(([, found, expected]) => isDeepStrictEqual(found, expected));
  console.log(right ? "\n  Nothing lost, nothing counted twice.\n" : "\n  Something is wrong.\n");
  return right;
}
