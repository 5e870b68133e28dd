import type { EntryKey, JobKey, KeptRecord } from "../data/record.ts";
import type { Engine } from "../engine/engine.ts";
import type { KeptValue } from "../engine/kept-value.ts";
import type { Reporter } from "../engine/reporter.ts";
import type { UnitOfWork } from "../engine/unit-of-work.ts";
import { isPerdureError, PerdureError } from "../errors.ts";
import { INTERNAL } from "./internal.ts";
import type { JobDefinitions } from "./job-definitions.ts";
import { jobKey } from "./job-key.ts";
import { dueOf, isUnreadable, readJob } from "./job-record.ts";

/** What parked jobs need. */
export interface ParkedJobsOptions {
  readonly engine: Engine;
  readonly reporter: Reporter;
  readonly definitions: JobDefinitions;
}

/** For each parked job, the name of its definition, where that can be read. */
const COLLECTION = `${INTERNAL}parked-jobs`;

/**
 * Jobs that are due and cannot be run: their definition is not there, they are of a newer version of the bot, or cannot be read. They are kept as they are, without
 * a time, so that nobody comes across them again and again; an entry beside them says where they are, so that nobody has to look for them either. Each start
 * tries them anew, and so does a definition that comes later.
 */
export class ParkedJobs {
  readonly #options: ParkedJobsOptions;
  readonly #reported = new Set<string>();
  #isWanted = false;
  #isBusy = false;

  constructor(options: ParkedJobsOptions) {
    this.#options = options;
  }

  /** Parks a job, as a part of a unit of work that owns it. Tells why, once for all jobs with the same reason. */
  async park(unit: UnitOfWork, kept: KeptValue, reason: unknown): Promise<void> {
    this.#report(reason);
    kept.put({ ...(kept.loaded as KeptRecord), time: undefined });
    const marker = await unit.open(markerKey((kept.key as JobKey).id));
    marker.set({ definition: definitionIn(kept) });
  }

  /** Lets go on what may be run by now. A call meanwhile makes it begin anew. */
  async bringBack(): Promise<void> {
    this.#isWanted = true;
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      while (this.#isWanted) {
        this.#isWanted = false;
        await this.#bringAllBack();
      }
    } catch (error) {
      if (!isPerdureError(error, "PERDURE_STOPPED")) this.#options.reporter.report(error);
    } finally {
      this.#isBusy = false;
    }
  }

  async #bringAllBack(): Promise<void> {
    const { engine, definitions } = this.#options;
    for await (const marker of engine.records.kept("entry", { within: COLLECTION })) {
      const { definition } = marker.get() as { readonly definition?: string | undefined };
      if (definition === undefined || definitions.get(definition) !== undefined) await this.#bringOneBack(marker.key);
      else this.#report(unknownDefinition(definition));
    }
  }

  async #bringOneBack(marker: EntryKey): Promise<void> {
    const key = jobKey(marker.id);
    const task = { name: `parked job ${key.id}`, keys: [key, marker], alone: false };
    try {
      await this.#options.engine.run(task, async (unit) => {
        const kept = unit.known(key) as KeptValue;
        const job = readJob(kept);
        // It may have been removed, or scheduled anew.
        if (job !== undefined) kept.foundBy = { ...kept.foundBy, time: dueOf(job) };
        unit.known(marker)?.drop();
      });
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      this.#report(error);
    }
  }

  #report(reason: unknown): void {
    const text = String(reason);
    if (this.#reported.has(text)) return;
    this.#reported.add(text);
    this.#options.reporter.report(reason);
  }
}

/** Why a job whose definition is not there is not run. */
export function unknownDefinition(name: string): PerdureError {
  return new PerdureError(
    "PERDURE_UNKNOWN_DEFINITION",
    `Jobs of the definition "${name}" are kept and due, and this program does not define it. They are left as they are, and run once it does: ` +
      `app.jobQueue.define("${name}", ...). jobs({ definition: "${name}" }) lists them, to be removed.`,
  );
}

function definitionIn(kept: KeptValue): string | undefined {
  try {
    return readJob(kept)?.definition;
  } catch {
    return undefined;
  }
}

function markerKey(id: string): EntryKey {
  return { kind: "entry", collection: COLLECTION, id };
}
