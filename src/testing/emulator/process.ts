import { parseArgs } from "node:util";
import { TelegramEmulator } from "./emulator.ts";

/**
 * The emulator as a process of its own:
 *
 *     node process.js [--port 0] [--transcript-limit 100000] [--webhook-timeout 60000] [--clock driven] [--until-stdin-closes]
 *
 * Prints one line of JSON, `{"url": "http://127.0.0.1:..."}`, once it listens. Ends on SIGTERM and SIGINT, and with
 * `--until-stdin-closes` also when whoever started it is gone.
 */
const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    "transcript-limit": { type: "string" },
    "webhook-timeout": { type: "string" },
    clock: { type: "string" },
    "until-stdin-closes": { type: "boolean", default: false },
  },
});

if (values.clock !== undefined && values.clock !== "driven") throw new Error('--clock can only be "driven"');
const emulator = await TelegramEmulator.start({
  port: Number(values.port),
  transcriptLimit: numberOf(values["transcript-limit"]),
  webhookTimeout: numberOf(values["webhook-timeout"]),
  clock: values.clock,
});

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

async function end(): Promise<void> {
  await emulator.stop();
  process.exit(0);
}

process.once("SIGTERM", () => void end());
process.once("SIGINT", () => void end());
if (values["until-stdin-closes"]) process.stdin.resume().once("close", () => void end());

process.stdout.write(`${JSON.stringify({ url: emulator.url })}\n`);
