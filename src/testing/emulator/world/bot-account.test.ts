import { expect, test } from "vitest";
import { Parameters } from "../methods/parameters.ts";
import { deleteWebhook, getUpdates, getWebhookInfo } from "../methods/updates.ts";
import type { Call } from "../methods/method.ts";
import { World } from "./world.ts";

test("a bot with a webhook cannot poll until it deletes it", () => {
  const world = new World();
  const bot = world.addBot({ username: "memory_bot" });
  const call: Call = { world, bot, parameters: new Parameters({}), signal: new AbortController().signal };
  bot.webhookUrl = "https://example.org/hook";
  expect(getWebhookInfo(call).url).toBe("https://example.org/hook");
  expect(() => getUpdates(call)).toThrow(
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
  );
  deleteWebhook(call);
  expect(getUpdates(call)).toEqual([]);
});
