import type { UnitOfWork } from "../../../src/engine/unit-of-work.ts";
import type { Kept } from "../reference/kept.ts";
import { UNKEEPABLE, type UnitModel, type Value } from "../reference/unit-model.ts";
import { Violation } from "../violation.ts";
import type { Action, At } from "./action.ts";
import { CHANGES, become } from "./change.ts";

/** Where a handler plays: its unit of work, what the model says of it, and what the history decides. */
export interface Stage {
  readonly unit: UnitOfWork;
  readonly model: UnitModel;
  readonly kept: Kept;
  /** Is in what it writes; no two handlers have the same. */
  readonly token: number;
  /** Resolves when the history lets it go on; `false` when it was given up meanwhile. */
  wait(): Promise<boolean>;
  /** Ends the process. Never resolves. */
  die(): Promise<never>;
  calledAfterCommit(): void;
}

/** What a handler throws. */
class HandlerFailure extends Error {}

/** Lets a handler do what it does, the real one and the model's side by side. */
export async function perform(list: readonly Action[], stage: Stage): Promise<void> {
  for (const action of list) await performOne(action, stage);
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
    default:
      return action.at === "bot" ? performOnBot(action.do, stage) : performOn(action.do, action.at, stage);
  }
}

/** Fails only where the handler's own failures do: a violation is no error that handlers catch. */
async function performTry(list: readonly Action[], stage: Stage): Promise<void> {
  try {
    await perform(list, stage);
  } catch (error) {
    if (error instanceof Violation) throw error;
  }
}

type Doing = Extract<Action, { at: At }>["do"];

function performOn(doing: Doing, scope: "chat" | "user", stage: Stage): void {
  for (const place of placesOf(scope, stage)) {
    const [real, known] = [place.get(), stage.model.look(place.key, place.get())];
    if (doing === "look") continue;
    if (doing === "fail") throw new HandlerFailure("thrown by the handler");
    const change = CHANGES[doing];
    const [changed, expected] = [change(real, stage.token), change(known, stage.token)];
    if (changed !== real) place.set(changed);
    stage.model.assign(place.key, expected);
  }
}

async function performOnBot(doing: Doing, { unit, model, kept, token }: Stage): Promise<void> {
  model.lookAtBot(unit.botData);
  if (doing === "look") return;
  await unit.updateBotData((data) => {
    const real = data as Value;
    const known = model.takeBot(kept, real);
    const change = doing === "fail" ? CHANGES.count : CHANGES[doing];
    become(real, change(real, token));
    become(known, change(known, token));
    if (doing === "fail") throw new HandlerFailure("thrown by the change");
    if (!(UNKEEPABLE in known)) model.changeBot(known);
  });
}

interface Place {
  readonly key: string;
  get(): Value;
  set(value: Value): void;
}

function placesOf(scope: "chat" | "user", { unit, model, kept }: Stage): readonly Place[] {
  const keys = model.keys(kept, scope);
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
