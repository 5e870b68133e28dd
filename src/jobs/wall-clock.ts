import { offset, wallTime } from "../data/wall-time.ts";
import { PerdureError } from "../errors.ts";

/** A day on a wall clock, in milliseconds. There, all days have 24 hours. */
export const DAY: number = 24 * 60 * 60 * 1000;

/** No zone is further from UTC than this, in milliseconds. */
const WIDEST_OFFSET = 16 * 60 * 60 * 1000;

/**
 * The moment at which the clocks in `zone` show this time, given as {@link wallTime} gives it. A time that comes twice, when
 * clocks are put back: the first one. A time that is left out, when they are put forward: the first moment after the gap; or
 * `undefined` where the whole day is left out (Samoa had no 30 December 2011).
 */
export function momentOfWallTime(wall: number, zone: string): number | undefined {
  const before = offset(wall - WIDEST_OFFSET, zone);
  const after = offset(wall + WIDEST_OFFSET, zone);
  if (before === after) return wall - before;
  const moments = [wall - Math.max(before, after), wall - Math.min(before, after)];
  return moments.find((moment) => wallTime(moment, zone) === wall) ?? momentAfterGap(wall, zone);
}

/** Refuses what is no time zone (`PERDURE_INVALID_OPTION`); `option` names where it stands. */
export function checkZone(zone: unknown, option: string): asserts zone is string {
  if (typeof zone === "string" && isZone(zone)) return;
  throw new PerdureError(
    "PERDURE_INVALID_OPTION",
    `The time zone of ${option} is ${JSON.stringify(zone)}, which is none that is known here. ` +
      `Give a name such as "UTC", "Europe/Berlin" or "America/New_York".`,
  );
}

function isZone(zone: string): boolean {
  try {
    wallTime(0, zone);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function momentAfterGap(wall: number, zone: string): number | undefined {
  const change = changeOfOffset(wall - WIDEST_OFFSET, wall + WIDEST_OFFSET, zone);
  const gapStart = change + offset(change - 1, zone);
  const gapEnd = change + offset(change, zone);
  const dayStart = Math.floor(wall / DAY) * DAY;
  return gapStart <= dayStart && dayStart + DAY <= gapEnd ? undefined : change;
}

/** The moment, between two, from which on clocks are ahead of UTC by what they are ahead at the second one. */
function changeOfOffset(from: number, to: number, zone: string): number {
  const last = offset(to, zone);
  let low = Math.floor(from / 1000);
  let high = Math.ceil(to / 1000);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offset(middle * 1000, zone) === last) high = middle;
    else low = middle;
  }
  return high * 1000;
}
