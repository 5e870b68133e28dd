/** Which class of Python. */
export type PythonTimezoneType = "datetime" | "pytz" | "zoneinfo";

/** What a {@link PythonTimezone} is made of. */
export interface PythonTimezoneParts {
  /** `"Europe/Berlin"`, or what a fixed offset is called, if anything. */
  readonly name?: string | null | undefined;
  /** Seconds east of UTC: of a fixed offset, and of a zone of pytz as it was when a datetime was put into it. */
  readonly offset?: number | null | undefined;
  /** Of a zone of pytz: the seconds of daylight saving time in the offset, and what the zone is called then ("CEST"). */
  readonly dst?: number | null | undefined;
  readonly abbreviation?: string | null | undefined;
}

/** A time zone of Python: a `datetime.timezone` (a fixed offset), a `zoneinfo.ZoneInfo`, or one of the package pytz. */
export class PythonTimezone {
  readonly type: PythonTimezoneType;
  readonly name: string | null;
  readonly offset: number | null;
  readonly dst: number | null;
  readonly abbreviation: string | null;

  constructor(type: PythonTimezoneType, { name, offset, dst, abbreviation }: PythonTimezoneParts) {
    this.type = type;
    this.name = name ?? null;
    this.offset = offset ?? null;
    this.dst = dst ?? null;
    this.abbreviation = abbreviation ?? null;
  }
}
