/**
 * How far a zone is ahead of UTC, in milliseconds, when its clocks show `wall` (as if that were UTC). Where they show it twice, `fold` tells
 * which; where they never show it, the offset is that before the change for fold 0 and after it for fold 1 (Python's PEP 495).
 */
export function zoneOffset(zone: string, wall: number, fold: 0 | 1): number {
  const before = offsetAt(zone, wall - 86_400_000);
  const after = offsetAt(zone, wall + 86_400_000);
  if (before === after) return before;
  const isBefore = offsetAt(zone, wall - before) === before;
  const isAfter = offsetAt(zone, wall - after) === after;
  if (isBefore === isAfter) return fold === 0 ? before : after;
  return isBefore ? before : after;
}

/** The offset at a moment. */
function offsetAt(zone: string, moment: number): number {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    calendar: "gregory",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  const parts = Object.fromEntries(format.formatToParts(moment).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(moment / 1000) * 1000;
}
