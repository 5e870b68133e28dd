import { parseArgs } from "node:util";
import { TelegramEmulator } from "./emulator.ts";

/**
 * The emulator as a process of its own:
 *
 *     node process.js [--port 0] [--transcript-limit 100000] [--until-stdin-closes]
 *
 * Prints one line of JSON, `{"url": "http://127.0.0.1:..."}`, once it listens. Ends on SIGTERM and SIGINT, and with
 * `--until-stdin-closes` also when whoever started it is gone.
 */
const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    "transcript-limit": { type: "string" },
    "until-stdin-closes": { type: "boolean", default: false },
  },
});

const limit = values["transcript-limit"];
const emulator = await TelegramEmulator.start({
  port: Number(values.port),
  transcriptLimit: limit === undefined ? undefined : Number(limit),
});

async function end(): Promise<void> {
  await emulator.stop();
  process.exit(0);
}

process.once("SIGTERM", () => void end());
process.once("SIGINT", () => void end());
if (values["until-stdin-closes"]) process.stdin.resume().once("close", () => void end());

process.stdout.write(`${JSON.stringify({ url: emulator.url })}\n`);
