import type { Tally } from "../tally.ts";
import { Violation } from "../violation.ts";
import { Accepted } from "./accepted.ts";
import { AttemptNoted } from "./attempt-noted.ts";
import { ChatMoved, type Merge } from "./chat-moved.ts";
import { differences } from "./differences.ts";
import { Concluded } from "./concluded.ts";
import { Dropped } from "./dropped.ts";
import type { Effect } from "./effect.ts";
import type { FileContent } from "./file-content.ts";
import { JOB, afterFailure, afterRun, dueOf, givenUp, jobOf, jobText, type JobState } from "./job-state.ts";
import { Listing } from "./listing.ts";
import { memoryOf, nothingKept, resolveChat, type Kept, type OpenUpdate, type SentUpdate } from "./kept.ts";
import { Restored } from "./restored.ts";
import { SetAside } from "./set-aside.ts";
import { UnitModel, hasCode, turnKeys, type UnitEnd, type Value } from "./unit-model.ts";

/** How a bot is run, from its start to its end. */
export interface LifeOptions {
  readonly onHandlerError: "rollback" | "keep";
  readonly maxAttempts: number;
  readonly merge: Merge | undefined;
}

/** How a call of the engine ended. */
export type Settlement = { readonly outcome: string } | { readonly error: unknown };

/** A done mark alone may wait so long for another commit, in milliseconds. */
const MARK_DELAY = 1000;

/**
 * The reference: what must be kept, in plain maps, and who may run now. It knows the promises and nothing of how they are
 * held. What may have happened by now, and may not have, is pending; the file shows which it is.
 */
export class Model {
  readonly kept: Kept = nothingKept();
  /** The time in milliseconds since 1970, whatever the life. */
  now = 0;
  readonly #pending = new Map<Effect, "possible" | "required">();
  /** What records were a moment ago. */
  readonly #recent = new Map<string, Set<string | undefined>>();
  #units: UnitModel[] = [];
  readonly #listings = new Set<Listing>();
  #called = new Set<string>();
  /** Updates whose acceptance was not answered yet: they have not arrived before others. */
  readonly #unanswered = new Set<string>();
  #options: LifeOptions = { onHandlerError: "rollback", maxAttempts: 3, merge: undefined };
  #life = 0;
  #sequence = 0;
  #isStopping = false;
  /** What was due by then may have been begun by an earlier life. */
  #jobsStartedAt = -Infinity;
  /** Runs of jobs that have failed, by the key of the job: what is to be noted, and with what text before. */
  readonly #failedRuns = new Map<string, { readonly before: string; readonly after: JobState }>();
  /** Whether an answer of `accept` was lost: then an update may count as accepted before. */
  mayRecount = false;
  readonly #tally: Tally;

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  /** Counts that something has happened. */
  count(what: string): void {
    this.#tally.count(what);
  }

  beginLife(options: LifeOptions): void {
    this.#options = options;
    this.#life += 1;
    this.#units = [];
    this.#called = new Set();
    this.#unanswered.clear();
    this.#pending.clear();
    this.#isStopping = false;
    this.#jobsStartedAt = Infinity;
    this.#failedRuns.clear();
    this.mayRecount = false;
  }

  /** The process is gone. What has not happened by now never will. */
  endLife(): void {
    this.#units = [];
    this.#pending.clear();
    this.#recent.clear();
    this.#listings.clear();
  }

  /** Forgets what records were before now, when everybody has heard of the last commit. */
  forgetRecent(): void {
    this.#recent.clear();
  }

  /** From now on this may happen. */
  expect<E extends Effect>(effect: E): E {
    this.#pending.set(effect, "possible");
    return effect;
  }

  /** The library has said that this has happened. */
  require(effect: Effect): void {
    if (effect instanceof Accepted) for (const { text } of effect.updates) this.#unanswered.delete(text);
    if (this.#pending.has(effect)) this.#pending.set(effect, "required");
  }

  /** The file as it is now must be explained by what was possible. */
  observe(file: FileContent): void {
    for (const [effect, necessity] of this.#pending) {
      const shown = effect.shows(file, this.kept);
      if (shown === true) this.#happen(effect, file);
      else if (necessity === "required" && (shown === "moot" || effect.mayRepeat === "has happened")) {
        this.#pending.delete(effect);
      } else if (necessity === "required") throw new Violation(`${effect.what} was reported and is not in the file`);
    }
    const [first, ...others] = differences(this.kept, file);
    if (first !== undefined) throw new Violation([first, ...others].join("; "));
  }

  accepting(updates: readonly SentUpdate[]): Effect {
    for (const { text } of updates) this.#unanswered.add(text);
    return this.expect(new Accepted(updates, this.#life, () => this.#sequence));
  }

  /** An update is handed to the engine. */
  handling(update: SentUpdate, isLeft: boolean): UnitModel {
    const { chat, user } = update;
    const name = `update ${update.id} ${JSON.stringify({ chat, user })}`;
    const [chats, users] = [chat === undefined ? [] : [chat], user === undefined ? [] : [user]];
    const unit = this.#enter(name, chats, users, update);
    if (this.isOnItsWay(update.id, unit)) unit.phase = "elsewhere";
    else if (isLeft) unit.phase = "left";
    else this.#called.add(update.text);
    this.#expectOf(unit, update);
    return unit;
  }

  transacting(chats: readonly number[], users: readonly number[]): UnitModel {
    return this.#enter(`transaction ${JSON.stringify({ chats, users })}`, chats, users, undefined);
  }

  /** A run of a job, or something to be noted about one, takes its turn. */
  tasking(job: string, chat: number | undefined, user: number | undefined, isAlone: boolean): UnitModel {
    const name = `job ${job} ${JSON.stringify({ chat, user })}`;
    const unit = this.#enter(name, chat === undefined ? [] : [chat], user === undefined ? [] : [user], undefined, job);
    unit.isAlone = isAlone;
    return unit;
  }

  /** The run of a job begins, for this moment, with what it is to do. */
  jobRuns(unit: UnitModel, run: { scheduled: number; attempt: number; data: unknown }): void {
    const { key, job } = jobOfUnit(unit);
    const { name } = unit.subject;
    if (job === undefined || dueOf(job) > this.now) throw new Violation(`${name} runs, and is not due`);
    if (this.#failedRuns.get(key)?.before === contentOf(job))
      throw new Violation(`${name} runs again, and it was not noted that its last run has failed`);
    this.#failedRuns.delete(key);
    const { scheduled, after } = afterRun(job, this.now);
    const [real, known] = [run, { scheduled, attempt: (job.retried ?? 0) + 1, data: job.data }].map((one) =>
      JSON.stringify([one.scheduled, one.attempt, one.data]),
    );
    if (real !== known) throw new Violation(`${name} runs as ${real}, must be ${known}`);
    if (dueOf(job) <= this.#jobsStartedAt && job.begun === undefined)
      throw new Violation(`${name} may have been begun before, and no attempt was noted`);
    if (after === undefined) unit.drop(key);
    else unit.assign(key, after as unknown as Value);
    unit.jobRun = { before: job, scheduled, attempt: run.attempt };
    this.#tally.count(`a job runs${run.attempt > 1 || (job.begun ?? 0) > 1 ? " again" : ""}`);
  }

  /** A run that an earlier life may have begun is noted, in a commit of its own, before it begins. */
  jobNoting(unit: UnitModel, text: string | undefined): Effect {
    const { key, job } = jobOfUnit(unit);
    const { begun = 0 } = job ?? {};
    if (job === undefined || dueOf(job) > this.#jobsStartedAt || begun >= this.#options.maxAttempts)
      throw new Violation(`${unit.subject.name} notes that ${key} is begun, and may not`);
    const [before, noted] = [jobText(job), jobText({ ...job, begun: begun + 1 })];
    if (text !== noted) throw new Violation(`${unit.subject.name} notes ${text}, must be ${noted}`);
    unit.note(key, noted);
    unit.undo = new Restored(key, { noted, before });
    if (this.#isStopping) this.expect(unit.undo);
    this.#tally.count("a run of a job is noted");
    return this.expect(
      new Concluded(`the note of ${key}`, [{ key, before, after: noted, isShared: false }], undefined, false),
    );
  }

  /** What was to be done about a job without running it leaves the job like this. */
  jobNoted(unit: UnitModel, text: string | undefined): void {
    if (unit.jobRun !== undefined) return;
    const { key, job } = jobOfUnit(unit);
    const possible = job === undefined ? [] : this.#notesOf(key, job);
    const before = job && jobText(job);
    if (text === before) return;
    const note = possible.find((one) => jobText(one) === text);
    if (note === undefined) throw new Violation(`${unit.subject.name} leaves ${key} as ${text}, and it was ${before}`);
    unit.assign(key, note as unknown as Value);
    this.#tally.count("a job fails");
  }

  /** The bot begins to run jobs. */
  jobsStart(): void {
    this.#jobsStartedAt = this.now;
  }

  /** Its handlers begin to run. */
  begin(unit: UnitModel): void {
    const { name, update } = unit.subject;
    // What was left to the replay runs by itself where the replay ended without it.
    const isFree = unit.phase === "waiting" || (unit.phase === "left" && !this.isOnItsWay(update?.id, unit));
    if (!isFree) throw new Violation(`${name} runs, and is on its way already`);
    // A transaction that was waiting when the stop began is in no inbox, and may still run.
    if (this.#isStopping && update !== undefined && !unit.mayRunOn)
      throw new Violation(`${name} begins to run after a stop`);
    if (update !== undefined) this.#requireOpen(unit, update);
    const [blocker] = this.#blockers(unit, "owned");
    if (blocker !== undefined) throw new Violation(`${name} overtakes ${blocker}`);
    this.#withdraw(unit);
    unit.begin(this.kept, this.#recent);
    this.#tally.count(`${update === undefined ? "a transaction" : "an update"} runs${unit.noted ? " again" : ""}`);
  }

  /** It touches these records, and waits until nobody else has them. */
  wants(unit: UnitModel, keys: readonly string[]): void {
    for (const key of keys) if (!unit.has(key) && !unit.late.has(key)) unit.late.set(key, "wanted");
  }

  /** It has these records, until its commit. */
  owns(unit: UnitModel, keys: readonly string[]): void {
    forgetWanted(unit);
    for (const key of keys.filter((one) => !unit.has(one) && !unit.late.has(one))) {
      const owner = this.#holders(key, "owned").find((other) => other !== unit);
      if (owner !== undefined) throw new Violation(`${unit.subject.name} gets ${key}, which ${owner.subject.name} has`);
      unit.take(key, this.kept);
    }
  }

  /** It does not get what it wants: because waiting would never end, or because it was given up. */
  failedToOwn(unit: UnitModel, error: unknown): void {
    const isGivenUp =
      this.#isStopping &&
      ["PERDURE_UNIT_OVER", "PERDURE_STOPPED", "PERDURE_CLOSED"].some((code) => hasCode(code)(error));
    const isDeadlock = hasCode("PERDURE_DEADLOCK")(error);
    if (isDeadlock && unit.doom === undefined && !this.#isInCycle(unit))
      throw new Violation(`${unit.subject.name} fails with a deadlock, and nobody waits for it`);
    if (isDeadlock) {
      this.#tally.count("a deadlock");
      unit.doom ??= { error };
    } else if (!isGivenUp) {
      throw new Violation(`${unit.subject.name} does not get a record: ${String(error)}`);
    }
    forgetWanted(unit);
  }

  /** A listing of entries begins. */
  listing(): Listing {
    const listing = new Listing(this.kept);
    this.#listings.add(listing);
    return listing;
  }

  /** Its handlers have ended. */
  end(unit: UnitModel, end: UnitEnd): void {
    const concluded = unit.end(end, this.#options.onHandlerError, this.now);
    if (!concluded.isEmpty) this.expect(concluded);
  }

  /** A call after the commit. */
  calledAfterCommit(unit: UnitModel): void {
    unit.calls += 1;
    const { concluded } = unit;
    const isPending = concluded !== undefined && this.#pending.has(concluded) && !concluded.isInvisible(this.kept);
    if (concluded === undefined || isPending || !unit.keepsCalls) {
      throw new Violation(`${unit.subject.name} calls what comes after its commit, and there was none`);
    }
  }

  /** The engine has answered. */
  settle(unit: UnitModel, settlement: Settlement): void {
    const { phase } = unit;
    const { name, update } = unit.subject;
    unit.phase = "settled";
    this.#withdraw(unit);
    this.#tally.count(tellSettlement(settlement));
    const wrong = (what: string): Violation => new Violation(`${name} ${what} (it was ${phase})`);
    if ("error" in settlement) {
      const isStopped = hasCode("PERDURE_STOPPED")(settlement.error) || hasCode("PERDURE_CLOSED")(settlement.error);
      if (this.#isStopping && isStopped) return;
      this.#settleConflict(unit, settlement.error);
      if (phase !== "ended" || !unit.errors.some((isRight) => isRight(settlement.error))) {
        throw wrong(`failed: ${String(settlement.error)}`);
      }
      this.#noteFailedRun(unit);
      return this.#requireDurable(unit);
    }
    if (settlement.outcome === "handled") {
      if (phase !== "ended") throw wrong("was handled without being run");
      this.#requireDurable(unit);
      if (unit.mustFail) throw wrong("was handled, and must fail");
    } else if (settlement.outcome === "left") {
      if (!this.#isStopping) throw wrong("was left");
    } else if (!["waiting", "left", "elsewhere"].includes(phase))
      throw wrong(`was ${settlement.outcome} after running`);
    if (update !== undefined) this.requireKept(update);
    if (settlement.outcome === "set aside" && !this.kept.failed.some(({ text }) => text === update?.text)) {
      throw wrong("was set aside and is not among the failed ones");
    }
  }

  /** Telegram may forget the update: the bot must not have. */
  requireKept({ id }: SentUpdate): void {
    const { inbox, done } = this.kept;
    if (!done.has(id) && !inbox.some((open) => open.id === id)) throw new Violation(`update ${id} is lost`);
  }

  stopping(): void {
    this.#isStopping = true;
    for (const unit of this.#units) {
      const { noted, subject, phase } = unit;
      if (unit.undo !== undefined) this.expect(unit.undo);
      unit.mayRunOn = phase === "waiting" && this.#blockers(unit, "owned").length === 0;
      if (!noted || subject.update === undefined || phase === "settled") continue;
      this.expect(new AttemptNoted(subject.update.id, -1, () => {}));
    }
  }

  /** `drop_pending_updates`: what nobody runs may be dropped now, and is when this is over. */
  dropping(): readonly Effect[] {
    const ids = this.kept.inbox.map(({ id }) => id).filter((id) => !this.isOnItsWay(id));
    return ids.map((id) => this.expect(new Dropped(id)));
  }

  /** Whether a unit of work has this update, or its done mark is not durable yet. */
  isOnItsWay(id: number | undefined, except?: UnitModel): boolean {
    return this.#units.some(({ subject, phase, concluded }, index) => {
      if (this.#units[index] === except || subject.update?.id !== id) return false;
      if (phase === "elsewhere" || phase === "left") return false;
      return phase !== "settled" || (concluded !== undefined && this.#pending.has(concluded));
    });
  }

  /** What should have happened by now, when nothing fails and nobody is slow. */
  requireProgress(): void {
    for (const unit of this.#units) {
      const { phase, concluded, isMark, endedAt, subject } = unit;
      const isPending = concluded !== undefined && this.#pending.has(concluded);
      if (isPending && isMark && this.now - endedAt > MARK_DELAY) throw new Violation(`${concluded.what} is overdue`);
      const isHeldUp = this.#waitsFor(unit).some((key) => this.#holders(key, "wanted").some((other) => other !== unit));
      if (phase === "ended" && !isMark && !isHeldUp)
        throw new Violation(`${subject.name} has ended, and does not come to an end`);
      if (phase === "running" && this.#waitsFor(unit).length > 0 && !isHeldUp)
        throw new Violation(`${subject.name} does not get ${this.#waitsFor(unit).join(", ")}, which nobody has`);
      if (phase === "waiting" && this.#blockers(unit, "wanted").length === 0)
        throw new Violation(`${subject.name} does not begin`);
    }
    const [due] = this.dueJobs;
    if (due !== undefined) throw new Violation(`${due} is due, and nobody runs it`);
  }

  /** Jobs that are due, and nobody runs; but for those that wait behind two of their chat, or of their user. */
  get dueJobs(): readonly string[] {
    const jobs = [...this.kept.records].filter(([key]) => key.startsWith(JOB));
    const due = jobs
      .map(([key, text]) => ({ key, job: jobOf(text) as JobState }))
      .filter(({ key, job }) => {
        return dueOf(job) <= this.now && this.#holders(key, "wanted").length === 0 && !this.#isEntered(key);
      })
      .sort((a, b) => dueOf(a.job) - dueOf(b.job) || (a.key < b.key ? -1 : 1));
    const running = this.#units.filter(({ phase, subject }) => phase !== "settled" && subject.job !== undefined);
    const taken = running.flatMap((unit) => unit.turnKeys(this.kept));
    const next = due.filter(({ job }) => {
      const owners = turnKeysOf(job, this.kept);
      const isPassed = owners.some((owner) => taken.filter((key) => key === owner).length >= 2);
      if (isPassed) taken.push(...owners, ...owners);
      return !isPassed;
    });
    return next.map(({ key }) => key);
  }

  /** How many units of work are on their way. */
  get unsettled(): number {
    return this.#units.filter(({ phase }) => phase !== "settled").length;
  }

  /** Whether something is accepted to be left to the replay. */
  get isLeaving(): boolean {
    return this.#units.some(({ phase }) => phase === "left");
  }

  /** Whether something on its way may have been run before: it runs alone, and others wait. */
  get isReplaying(): boolean {
    if (this.mayRecount) return true;
    return this.#units.some(({ phase, isAlone, subject: { update } }) => {
      if (isAlone && phase !== "settled") return true;
      return phase !== "settled" && update !== undefined && this.#openOf(update.id)?.life !== this.#life;
    });
  }

  #enter(
    name: string,
    chats: readonly number[],
    users: readonly number[],
    update: SentUpdate | undefined,
    job?: string,
  ): UnitModel {
    this.#sequence += 1;
    const unit = new UnitModel({ name, chats, users, update, job, sequence: this.#sequence });
    this.#units.push(unit);
    return unit;
  }

  #expectOf(unit: UnitModel, update: SentUpdate): void {
    const { maxAttempts, merge } = this.#options;
    if (unit.phase === "elsewhere") return;
    const { migration } = update;
    if (migration !== undefined) {
      const hasTurn = (): boolean => isToRun(unit) && this.#blockers(unit, "owned").length === 0;
      unit.effects.push(this.expect(new ChatMoved(migration, merge, hasTurn)));
    }
    unit.effects.push(
      this.expect(new AttemptNoted(update.id, 1, () => this.#noted(update))),
      this.expect(new SetAside(update.id, maxAttempts)),
    );
  }

  #isEntered(key: string): boolean {
    return this.#units.some(
      ({ phase, subject: { job } }) => phase === "waiting" && job !== undefined && JOB + job === key,
    );
  }

  /** What may be noted about a job: that a run is given up, or has failed. */
  #notesOf(key: string, job: JobState): JobState[] {
    const failed = this.#failedRuns.get(key);
    this.#failedRuns.delete(key);
    const { chat, user } = job;
    if (failed !== undefined) return failed.before === contentOf(job) ? [{ ...failed.after, chat, user }] : [];
    if (dueOf(job) > this.now) return [];
    const { begun = 0 } = job;
    return begun >= this.#options.maxAttempts ? [givenUp(job, this.now)] : [];
  }

  #noteFailedRun({ jobRun, subject }: UnitModel): void {
    if (jobRun === undefined || subject.job === undefined) return;
    const { before, scheduled, attempt } = jobRun;
    const after = afterFailure(before, scheduled, attempt, this.now);
    this.#failedRuns.set(JOB + subject.job, { before: contentOf(before), after });
  }

  #noted({ id }: SentUpdate): void {
    const open = this.#openOf(id);
    const [unit] = this.#units
      .filter((each) => each.subject.update?.id === id && isToRun(each) && !each.noted)
      .sort((a, b) => Number(a.phase === "left") - Number(b.phase === "left"));
    if (unit === undefined) throw new Violation(`an attempt at update ${id} is noted, and nobody is to run it`);
    if (open?.life === this.#life && !this.mayRecount)
      throw new Violation(`update ${id} is new, and noted as run before`);
    unit.noted = true;
    if (this.#isStopping) this.expect(new AttemptNoted(id, -1, () => {}));
  }

  /** What may happen before a unit runs can no longer. */
  #withdraw(unit: UnitModel): void {
    for (const effect of unit.effects.splice(0)) this.#pending.delete(effect);
  }

  #requireOpen(unit: UnitModel, update: SentUpdate): void {
    const { name } = unit.subject;
    const open = this.#openOf(update.id);
    if (open === undefined) {
      const isDone = memoryOf(update.id, this.kept, this.now) === "done";
      throw new Violation(`${name} runs, and ${isDone ? "is done already" : "is not in the inbox"}`);
    }
    if (open.life !== this.#life && !unit.noted) throw new Violation(`${name} is run again, and no attempt was noted`);
    if (open.attempts > this.#options.maxAttempts) throw new Violation(`${name} is run more than maxAttempts times`);
    const { migration } = update;
    if (migration !== undefined && !this.kept.aliases.has(migration.from)) {
      throw new Violation(`${name} announces a migration, and runs before it`);
    }
  }

  #openOf(id: number): OpenUpdate | undefined {
    return this.kept.inbox.find((open) => open.id === id);
  }

  /** Who has to come before this unit; with `"wanted"` also those that run and wait for the same. */
  #blockers(unit: UnitModel, late: "wanted" | "owned"): string[] {
    const keys = new Set(unit.turnKeys(this.kept));
    const isShared = (others: readonly string[]): boolean => others.some((key) => keys.has(key));
    const before = this.#units.filter(
      (other) =>
        other.subject.sequence < unit.subject.sequence && this.#hasTurn(other) && isShared(other.turnKeys(this.kept)),
    );
    const owners = [...keys].flatMap((key) => this.#lateHolders(key, late)).filter((other) => other !== unit);
    const names = [...before, ...owners].map(({ subject }) => subject.name);
    return [...names, ...this.#unclaimedBefore(unit, isShared)];
  }

  /** Those that run and have a record; with `"wanted"` also those that wait for it. */
  #holders(key: string, late: "wanted" | "owned"): UnitModel[] {
    const byTurn = this.#units.filter(
      (unit) => unit.phase !== "waiting" && this.#hasTurn(unit) && unit.turnKeys(this.kept).includes(key),
    );
    return [...byTurn, ...this.#lateHolders(key, late)];
  }

  #lateHolders(wanted: string, late: "wanted" | "owned"): UnitModel[] {
    return this.#units.filter((unit) => {
      if (unit.phase === "waiting" || !this.#hasTurn(unit)) return false;
      return [...unit.late].some(([key, held]) => (held === "owned" || late === "wanted") && this.#now(key) === wanted);
    });
  }

  /** What a unit that has begun still waits for. */
  #waitsFor({ phase, late, concluded }: UnitModel): string[] {
    if (phase === "ended") return [...(concluded?.shared ?? [])];
    return [...late].filter(([, held]) => held === "wanted").map(([key]) => this.#now(key));
  }

  /** Whether somebody that this unit waits for waits for this unit. Who is about to begin counts as having begun. */
  #isInCycle(unit: UnitModel): boolean {
    const holds = (other: UnitModel): string[] => [
      ...other.turnKeys(this.kept),
      ...[...other.late.keys()].map((key) => this.#now(key)),
    ];
    const awaited = (other: UnitModel): string[] =>
      other.phase === "waiting" ? other.turnKeys(this.kept) : this.#waitsFor(other);
    const seen = new Set<UnitModel>([unit]);
    for (const one of seen) {
      for (const other of this.#units) {
        if (other === one || !this.#hasTurn(other)) continue;
        const keys = new Set(holds(other));
        if (!awaited(one).some((key) => keys.has(key))) continue;
        if (other === unit) return true;
        seen.add(other);
      }
    }
    return false;
  }

  /** The key under which a record is kept now. */
  #now(key: string): string {
    return key.startsWith("chat:") ? `chat:${resolveChat(Number(key.slice("chat:".length)), this.kept)}` : key;
  }

  /** Whether a unit keeps others waiting. */
  #hasTurn({ phase, concluded, isMark, subject: { update } }: UnitModel): boolean {
    if (phase === "running") return true;
    if (phase === "waiting") return update === undefined || memoryOf(update.id, this.kept, this.now) === "forgotten";
    return phase === "ended" && !isMark && concluded !== undefined && this.#pending.has(concluded);
  }

  /** What came into the inbox before this update, and nobody has begun with. */
  #unclaimedBefore(unit: UnitModel, isShared: (keys: readonly string[]) => boolean): string[] {
    const { update, sequence } = unit.subject;
    const index = this.kept.inbox.findIndex(({ id }) => id === update?.id);
    return this.kept.inbox
      .slice(0, Math.max(0, index))
      .filter(({ text, arrival }) => arrival < sequence && !this.#called.has(text) && !this.#unanswered.has(text))
      .filter((open) => isShared(turnKeysOf(open, this.kept)))
      .map(({ id }) => `update ${id}, which came before it`);
  }

  /** A transaction leaves no done mark by which the file could show that it was rolled back. */
  #settleConflict({ concluded, subject }: UnitModel, error: unknown): void {
    if (concluded === undefined || subject.update !== undefined || !hasCode("PERDURE_CONFLICT")(error)) return;
    concluded.conflicted = concluded.wouldConflict(this.kept);
    this.#pending.delete(concluded);
  }

  #requireDurable(unit: UnitModel): void {
    const { concluded, isMark, calls, callsWanted, keepsCalls } = unit;
    const { name } = unit.subject;
    if (concluded?.isInvisible(this.kept) === true) this.#pending.delete(concluded);
    if (concluded !== undefined && !isMark && this.#pending.has(concluded)) {
      throw new Violation(`${name} has come to its end, and is not in the file`);
    }
    const wanted = keepsCalls && concluded?.conflicted !== true ? callsWanted : 0;
    if (calls !== wanted) throw new Violation(`${name}: ${calls} calls after its commit, must be ${wanted}`);
  }

  #happen(effect: Effect, file: FileContent): void {
    const before = new Map(this.kept.records);
    effect.happen(this.kept, file);
    this.#tally.count(effect.kind);
    if (effect.mayRepeat === undefined) this.#pending.delete(effect);
    for (const key of new Set([...before.keys(), ...this.kept.records.keys()])) {
      if (before.get(key) === this.kept.records.get(key)) continue;
      for (const listing of this.#listings) listing.hear(key, this.kept.records.get(key));
      const recent = this.#recent.get(key) ?? new Set();
      this.#recent.set(key, recent.add(before.get(key)));
    }
  }
}

function jobOfUnit(unit: UnitModel): { readonly key: string; readonly job: JobState | undefined } {
  const key = JOB + String(unit.subject.job);
  return { key, job: unit.own(key)?.value as JobState | undefined };
}

/** Everything of a job but whose it is: that may move with a chat. */
function contentOf(job: JobState): string {
  return jobText({ ...job, chat: undefined, user: undefined });
}

function forgetWanted({ late }: UnitModel): void {
  for (const [key, held] of late) if (held === "wanted") late.delete(key);
}

function turnKeysOf(of: OpenUpdate | JobState, kept: Kept): string[] {
  const { chat, user } = of;
  const subject = { chats: chat === undefined ? [] : [chat], users: user === undefined ? [] : [user] };
  return turnKeys(subject, "id" in of ? of : undefined, kept);
}

function tellSettlement(settlement: Settlement): string {
  if ("outcome" in settlement) return `outcome: ${settlement.outcome}`;
  const { code } = settlement.error as { code?: unknown };
  return `failure: ${typeof code === "string" ? code : "thrown by the handler"}`;
}

function isToRun({ phase }: UnitModel): boolean {
  return phase === "waiting" || phase === "left";
}
