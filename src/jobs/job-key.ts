import type { JobKey } from "../data/record.ts";

/** The key of the job with this id. */
export function jobKey(id: string): JobKey {
  return { kind: "job", id };
}
