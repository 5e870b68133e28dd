/** The ways of running a bot that are killed. */
export const MODES = ["one at a time", "64 at a time", "bot.start()", "runner", "webhook"] as const;
export type Mode = (typeof MODES)[number];

/** Where a bot process dies. With grammY's file storage, a commit is one write of its storage. */
export const PLACES = [
  "before accepting",
  "while accepting",
  "after accepting",
  "replay",
  "in a handler",
  "before a commit",
  "during a commit",
  "after a commit",
  "any moment",
] as const;

/** What a bot does: it notes texts; it also schedules jobs for them; or each is a step in a conversation, which ends after some silence. */
export const LOADS = ["texts", "jobs", "conversations"] as const;
export type Load = (typeof LOADS)[number];

/** Where a bot with jobs dies: while it handles what schedules them, and while it runs them. Silence ends conversations in jobs. */
export const PLACES_OF_JOBS = [
  "in a handler",
  "before a commit",
  "during a commit",
  "after a commit",
  "a run is noted",
  "in a job",
  "before a job's commit",
  "during a job's commit",
  "after a job's commit",
  "any moment",
] as const;
export type Place = (typeof PLACES)[number] | (typeof PLACES_OF_JOBS)[number];

/** The places that last: whoever is to die there dies in the middle of it. */
export const LASTING: ReadonlySet<Place> = new Set<Place>([
  "while accepting",
  "during a commit",
  "during a job's commit",
]);

/** Who keeps the bot's data: Perdure in SQLite, or grammY's session() with its file storage. */
export const STORAGES = ["perdure", "file"] as const;
export type Storage = (typeof STORAGES)[number];

/** What grammY's file storage goes through: it accepts nothing, and replays nothing. */
export const MODES_OF_FILE: readonly Mode[] = ["bot.start()", "runner"];
const PLACES_OF_FILE: readonly Place[] = [
  "in a handler",
  "before a commit",
  "during a commit",
  "after a commit",
  "any moment",
];

/** Faults put into the bot on purpose: whoever looks for faults must find each. */
export const MUTANTS = ["no done mark", "acknowledge first", "state before done"] as const;
const MUTANTS_OF_JOBS = ["state before job", "job before state"] as const;
const MUTANTS_OF_CONVERSATIONS = ["data before conversation"] as const;
export type Mutant =
  | (typeof MUTANTS)[number]
  | (typeof MUTANTS_OF_JOBS)[number]
  | (typeof MUTANTS_OF_CONVERSATIONS)[number];

/** The faults that a bot with this load can have. */
export const MUTANTS_OF: Readonly<Record<Load, readonly Mutant[]>> = {
  texts: MUTANTS,
  jobs: MUTANTS_OF_JOBS,
  conversations: MUTANTS_OF_CONVERSATIONS,
};

/**
 * How a bot dies in the middle of its work: before one of the system calls that this work makes (the harness sees to it), or
 * by a thread of its own that kills after some microseconds.
 */
export type Death = "system call" | "watchdog";

/** What one bot process is told. */
export interface CrashPlan {
  readonly storage: Storage;
  readonly load: Load;
  readonly mode: Mode;
  readonly token: string;
  readonly apiRoot: string;
  /** The SQLite file, or the folder of the file storage. */
  readonly file: string;
  readonly durability: "disk" | "os";
  /** For webhooks: where to listen, and whether with grammY's own callback. */
  readonly port: number;
  readonly stock: boolean;
  /** Where to die, and how often to pass by that place before. */
  readonly place: Place | undefined;
  readonly after: number;
  /** For places that last: how, and after how many microseconds. */
  readonly death: Death;
  readonly delay: number;
  readonly mutant: Mutant | undefined;
}

/** What a bot prints when it waits at a place that lasts, for `GO` on its standard input. The path of what it writes may follow. */
export const WAITING = "at the place";
export const GO = "go";

/** What a bot prints that was to die within a place and has left it alive. It dies right after. */
export const LEFT = "left the place";

/** Where a bot with this storage and this load dies. */
export function placesOf(storage: Storage, load: Load): readonly Place[] {
  if (load !== "texts") return PLACES_OF_JOBS;
  return storage === "file" ? PLACES_OF_FILE : PLACES;
}
