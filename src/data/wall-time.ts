import { LRUCache } from "lru-cache";

/** Making a formatter costs as much as using it twenty times. */
const formatters = new LRUCache<string, Intl.DateTimeFormat>({ max: 100 });

/**
 * What the clocks on the walls of `zone` show at a moment, date and time: as milliseconds since 1970-01-01 00:00 on that wall. `getUTCDate()`
 * and the like of a `Date` with this number give the parts.
 *
 * @throws RangeError for what is no time zone.
 */
export function wallTime(moment: number, zone: string): number {
  const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of formatter(zone).formatToParts(moment)) parts[type] = Number(value);
  const { year = NaN, month = NaN, day = NaN, hour = NaN, minute = NaN, second = NaN } = parts;
  // Date.UTC would take the first hundred years for those of the twentieth century.
  const midnight = new Date(0).setUTCFullYear(year, month - 1, day);
  return midnight + ((hour * 60 + minute) * 60 + second) * 1000 + (((moment % 1000) + 1000) % 1000);
}

/** By how much the clocks in `zone` are ahead of UTC at a moment, in milliseconds. */
export function offset(moment: number, zone: string): number {
  return wallTime(moment, zone) - moment;
}

function formatter(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  formatters.set(zone, made);
  return made;
}
