const dateText = /^(\d{4})-(\d{2})-(\d{2})$/;
const timeText = /^(\d{2}):(\d{2}):(\d{2})\.(\d{6})$/;

/** The parts of a date: `"2024-02-29"` is 2024, 2, 29. Undefined for a text that is no date. */
export function datePartsOf(text: string): readonly [year: number, month: number, day: number] | undefined {
  const [year = 0, month = 0, day = 0] = (dateText.exec(text) ?? []).slice(1).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isDate =
    year >= 1 && date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isDate ? [year, month, day] : undefined;
}

/** The parts of a time of day: `"23:59:59.999999"` is 23, 59, 59, 999999. Undefined for a text that is no such time. */
export function timePartsOf(
  text: string,
): readonly [hour: number, minute: number, second: number, microsecond: number] | undefined {
  const match = timeText.exec(text);
  if (match === null) return undefined;
  const [hour = 0, minute = 0, second = 0, microsecond = 0] = match.slice(1).map(Number);
  return hour <= 23 && minute <= 59 && second <= 59 ? [hour, minute, second, microsecond] : undefined;
}
