import type { UnitOfWork } from "../../../src/engine/unit-of-work.ts";
import type { Saying } from "../reference/talk-state.ts";
import { ENTRY, UNKEEPABLE, type Value } from "../reference/unit-model.ts";
import { Violation } from "../violation.ts";
import type { Action, At } from "./action.ts";
import { call, list, make, owning, type Call, type CalledApp, type Caller, type EntryId } from "./call.ts";
import { CHANGES, become } from "./change.ts";

/** Where a handler plays: its unit of work, what the model says of it, and what the history decides. */
export interface Stage extends Caller {
  readonly unit: UnitOfWork;
  readonly app: CalledApp;
  /** Says something to the conversation; only in an update. */
  readonly say?: ((what: Saying) => Promise<void>) | undefined;
  /** Resolves when the history lets it go on; `false` when it was given up meanwhile. */
  wait(): Promise<boolean>;
  /** Ends the process. Never resolves. */
  die(): Promise<never>;
  calledAfterCommit(): void;
}

/** What a handler throws. */
class HandlerFailure extends Error {}

/** Lets a handler do what it does, the real one and the model's side by side. */
export async function perform(actions: readonly Action[], stage: Stage): Promise<void> {
  for (const action of actions) await performOne(action, stage);
}

async function performOne(action: Action, stage: Stage): Promise<void> {
  switch (action.do) {
    case "wait":
      if (!(await stage.wait())) requireOver(stage);
      return;
    case "throw":
      throw new HandlerFailure("thrown by the handler");
    case "die":
      return stage.die();
    case "call after commit":
      stage.unit.afterCommit(() => stage.calledAfterCommit());
      stage.model.callsWanted += 1;
      return;
    case "try":
      return performTry(action.actions, stage);
    case "list":
      return list(stage.app, stage.reference.listing(), stage.model);
    case "say":
      return stage.say?.(action.what);
    default:
      return "at" in action ? performAt(action, stage) : void (await performCall(action, stage));
  }
}

/** Fails only where the handler's own failures do: a violation is no error that handlers catch. */
async function performTry(actions: readonly Action[], stage: Stage): Promise<void> {
  try {
    await perform(actions, stage);
  } catch (error) {
    if (error instanceof Violation) throw error;
  }
}

function performCall(made: Call, stage: Stage): Promise<unknown> {
  return call(made, stage, () => make(made, stage.app, stage.token));
}

type Doing = Extract<Action, { at: At }>["do"];

function performAt({ do: doing, at }: { do: Doing; at: At }, stage: Stage): void | Promise<void> {
  if (at === "bot") return performOnBot(doing, stage);
  if (at === "chat" || at === "user") return performOn(doing, at, stage);
  return performOnEntry(doing, at === "entry a" ? "a" : "b", stage);
}

/** An entry that is there is changed in place; one that is not is set. */
async function performOnEntry(doing: Doing, entry: EntryId, stage: Stage): Promise<void> {
  const real = (await performCall({ do: "get", entry }, stage)) as Value | undefined;
  if (doing === "look") return;
  if (doing === "fail") throw new HandlerFailure("thrown by the handler");
  const change = CHANGES[doing];
  const known = stage.model.own(ENTRY + entry)?.value;
  const changed = change(real ?? {}, stage.token);
  if (changed !== real) await stage.app.entries.set(entry, changed);
  stage.model.assign(ENTRY + entry, change(known ?? {}, stage.token));
}

function performOn(doing: Doing, scope: "chat" | "user", stage: Stage): void {
  for (const place of placesOf(scope, stage)) {
    const [real, known] = [place.get(), stage.model.look(place.key, place.get()) ?? {}];
    if (doing === "look") continue;
    if (doing === "fail") throw new HandlerFailure("thrown by the handler");
    const change = CHANGES[doing];
    const [changed, expected] = [change(real, stage.token), change(known, stage.token)];
    if (changed !== real) place.set(changed);
    stage.model.assign(place.key, expected);
  }
}

async function performOnBot(doing: Doing, stage: Stage): Promise<void> {
  const { unit, model, reference, token } = stage;
  model.lookAtBot(unit.botData);
  if (doing === "look") return;
  let [isOwned, failure] = [false, undefined as { readonly error: unknown } | undefined];
  const change = (data: unknown): void => {
    isOwned = true;
    const real = data as Value;
    const known = model.takeBot(reference.kept, real);
    const act = doing === "fail" ? CHANGES.count : CHANGES[doing];
    become(real, act(real, token));
    become(known, act(known, token));
    if (doing === "fail") throw new HandlerFailure("thrown by the change");
    if (!(UNKEEPABLE in known)) model.changeBot(known);
  };
  await owning(
    () => ["bot"],
    stage,
    () =>
      unit.updateBotData(change).catch((error: unknown) => {
        if (!isOwned) throw error;
        failure = { error };
      }),
  );
  if (failure !== undefined) throw failure.error;
}

interface Place {
  readonly key: string;
  get(): Value;
  set(value: Value): void;
}

function placesOf(scope: "chat" | "user", { unit, model, reference }: Stage): readonly Place[] {
  const keys = model.keys(reference.kept, scope);
  if (model.subject.update !== undefined) {
    const name = scope === "chat" ? "chatData" : "userData";
    // Where there is none, the unit of work throws.
    return [{ key: keys[0] ?? scope, get: () => unit[name] as Value, set: (value) => void (unit[name] = value) }];
  }
  return keys.map((key) => {
    const value = unit.valueOf(scope, Number(key.slice(key.indexOf(":") + 1)));
    return { key, get: () => value.get() as Value, set: (changed) => value.set(changed) };
  });
}

/** What was given up may not touch what is kept any more. */
function requireOver({ unit, model }: Stage): void {
  try {
    void unit.botData;
  } catch (error) {
    if ((error as { code?: unknown }).code === "PERDURE_UNIT_OVER") throw error;
  }
  throw new Violation(`${model.subject.name} was given up, and can still touch what is kept`);
}
