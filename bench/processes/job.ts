import type { ContenderName } from "../contenders/all.ts";
import type { Setting } from "../contenders/contender.ts";
import type { Load } from "../load.ts";
import type { Figures } from "../telegram-stub.ts";

/** One contender in one setting. */
export interface ContenderJob {
  readonly contender: ContenderName;
  readonly setting: Setting;
}

/** One measurement. */
export interface RunJob extends ContenderJob {
  readonly load: Load;
  /** Whether SQLite is asked what was written, which takes its log's checkpoints out of the measurement. */
  readonly counting?: boolean;
}

/** What SQLite says was written, per update. */
export interface Written {
  /** Rows inserted, changed or removed: `total_changes()`. */
  readonly rows: number;
  /** Pages in the log: what `wal_checkpoint` found there. */
  readonly pages: number;
  /** Bytes in the log: the pages with their headers. */
  readonly bytes: number;
}

/** What a measurement gives. */
export interface RunFigures extends Figures {
  readonly written?: Written | undefined;
}

/** Counts what these steps of a conversation write. */
export interface ConversationJob extends ContenderJob {
  readonly steps: readonly number[];
}

/** What one step of a conversation writes. */
export interface StepFigures {
  readonly step: number;
  readonly written: Written;
}

/** What a start costs. Times are in milliseconds, memory in MB. */
export interface StartFigures {
  readonly open: number;
  /** Until the first update is durable. */
  readonly first: number;
  /** Resident, after the first update. */
  readonly memory: number;
}

/** A bot that sends keyboards, and gets presses of them. */
export interface ButtonsJob {
  readonly contender: "data buttons" | "plain buttons";
  /** Where its file goes. */
  readonly folder: string;
  /** How many keyboards it has sent before. */
  readonly kept: number;
  /** So many presses, and so many keyboards more, are measured. */
  readonly updates: number;
}

/** What that costs. */
export interface ButtonsFigures {
  /** Microseconds per press, one at a time. */
  readonly time: number;
  /** MB of heap in use after the keyboards were sent. */
  readonly heap: number;
  /** By each keyboard that is sent by an update of its own. */
  readonly written: Written;
}
