import { Cron } from "croner";
import { LRUCache } from "lru-cache";
import { PerdureError } from "../errors.ts";

/** A parsed pattern takes some 80 kB. */
const parsed = new LRUCache<string, Cron>({ max: 50 });

/** Refuses what is no cron pattern (`PERDURE_INVALID_OPTION`). */
export function checkPattern(pattern: unknown): asserts pattern is string {
  if (typeof pattern !== "string") throw invalid(pattern);
  try {
    cron(pattern, "UTC");
  } catch (cause) {
    throw invalid(pattern, cause);
  }
}

/**
 * The first moment strictly after `after` (milliseconds since 1970) that a cron pattern names in `zone`; `undefined` when there is
 * none until the year 3000. Throws for what is no pattern or no zone.
 */
export function nextCronMoment(pattern: string, zone: string, after: number): number | undefined {
  return cron(pattern, zone).nextRun(new Date(after))?.getTime();
}

function cron(pattern: string, zone: string): Cron {
  const key = `${zone} ${pattern}`;
  const known = parsed.get(key);
  if (known !== undefined) return known;
  const made = parse(pattern, zone);
  parsed.set(key, made);
  return made;
}

function parse(pattern: string, zone: string): Cron {
  // The library takes a text with a colon for a date, and no zone for the system's.
  if (pattern.includes(":")) throw new TypeError("a pattern has no colon");
  if (zone === "") throw new TypeError("the time zone is missing");
  return new Cron(pattern, { timezone: zone });
}

function invalid(pattern: unknown, cause?: unknown): PerdureError {
  const why = cause instanceof Error ? ` (${cause.message})` : "";
  return new PerdureError(
    "PERDURE_INVALID_OPTION",
    `pattern is ${JSON.stringify(pattern)}, which is no cron pattern${why}. Give five fields (minute, hour, day of month, ` +
      `month, day of week), such as "0 9 * * 1-5", or six, with seconds first.`,
    { cause },
  );
}
