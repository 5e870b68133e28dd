import { offset } from "../wall-time.ts";

/**
 * How far a zone is ahead of UTC, in milliseconds, when its clocks show `wall` (as if that were UTC). Where they show it twice, `fold` tells
 * which; where they never show it, the offset is that before the change for fold 0 and after it for fold 1 (Python's PEP 495).
 */
export function zoneOffset(zone: string, wall: number, fold: 0 | 1): number {
  const before = offset(wall - 86_400_000, zone);
  const after = offset(wall + 86_400_000, zone);
  if (before === after) return before;
  const isBefore = offset(wall - before, zone) === before;
  const isAfter = offset(wall - after, zone) === after;
  if (isBefore === isAfter) return fold === 0 ? before : after;
  return isBefore ? before : after;
}
