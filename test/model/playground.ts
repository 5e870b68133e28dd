import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqlitePersistence } from "../../src/index.ts";
import type { WorldOptions } from "./driver/world.ts";

// In memory where there is such a place: what the disk does is not what is tested here.
const ROOT = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** A folder for histories to play in, to be removed by the caller, with a file that is as good as new. */
export async function newPlayground(): Promise<Pick<WorldOptions, "folder" | "blank">> {
  const folder = mkdtempSync(join(ROOT, "perdure-model-"));
  const blank = join(folder, "blank.sqlite");
  const persistence = new SqlitePersistence({ path: blank, durability: "os" });
  await persistence.open({ botId: 1, now: Date.now });
  persistence.close();
  return { folder, blank };
}
