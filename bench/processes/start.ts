// Opens an existing file and handles one update: what a start costs until the first answer.
import { newApplication } from "../contenders/perdure.ts";
import { rawSelect } from "../contenders/raw-sqlite.ts";
import type { Load } from "../load.ts";
import { updatesOf } from "../load.ts";
import { TelegramStub } from "../telegram-stub.ts";
import { answer } from "./answer.ts";
import type { ContenderJob, StartFigures } from "./job.ts";

await answer(async ({ contender, setting }: ContenderJob): Promise<StartFigures> => {
  if (contender === "raw") return rawSelect(setting);
  const load: Load = { ...setting, distribution: "uniform", warmUp: 0, updates: 1, seed: 1, firstId: Date.now() };
  const stub = new TelegramStub(updatesOf(load), load);
  const app = newApplication(stub, setting, "disk");
  const begin = performance.now();
  await app.initialize();
  const opened = performance.now();
  await app.start();
  await stub.finished;
  const handled = performance.now();
  globalThis.gc?.();
  const memory = process.memoryUsage.rss() / 2 ** 20;
  await app.shutdown();
  return { open: opened - begin, first: handled - begin, memory };
});
