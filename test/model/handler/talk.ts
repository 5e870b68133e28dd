import type { Update } from "@grammyjs/types";
import { ByState } from "../../../src/conversation/by-state.ts";
import type { Answer, Candidate } from "../../../src/conversation/candidate.ts";
import { Conversation, type ConversationHost } from "../../../src/conversation/conversation.ts";
import { END } from "../../../src/conversation/special-states.ts";
import type { UnitOfWork } from "../../../src/engine/unit-of-work.ts";
import {
  SILENCE,
  TALK_NAME,
  isTimeoutOf,
  said,
  talkKey,
  timeoutKey,
  timeoutOf,
  type Saying,
  type TalkState,
} from "../reference/talk-state.ts";
import { resolveChat } from "../reference/kept.ts";
import type { Value } from "../reference/unit-model.ts";
import { Violation } from "../violation.ts";
import { owning, type Caller } from "./call.ts";

/** What somebody says to the conversation, in an update. */
export type Talk = Conversation<Saying, () => Promise<void>>;

/** The real conversation. Its handlers of `TIMEOUT` do what they are given. */
export function newTalk(host: ConversationHost): Talk {
  const when = (saying: Saying, next: string | number): Candidate<Saying> => ({
    take: async ({ ctx }, call): Promise<Answer | undefined> =>
      ctx === saying ? { ...(await call(() => next)), by: saying } : undefined,
  });
  const silent: Candidate<() => Promise<void>> = {
    take: async ({ ctx }, call) => ({ ...(await call(ctx)), by: "silent" }),
  };
  return new Conversation<Saying, () => Promise<void>>(
    {
      name: TALK_NAME,
      title: TALK_NAME,
      perChat: true,
      perUser: true,
      perMessage: false,
      entryPoints: [when("begin", "A")],
      states: new ByState({ A: [when("go on", "B")], B: [when("go on", "A")] }),
      fallbacks: [when("end", END)],
      timeoutHandlers: [silent],
      allowReentry: false,
      block: true,
      timeout: SILENCE,
      mapToParent: undefined,
      version: 0,
      migrate: undefined,
      onStaleState: "end",
    },
    host,
  );
}

/** Says something in an update, to the real conversation and to the model's. */
export async function say(
  saying: Saying,
  talk: Talk,
  caller: Caller & { readonly unit: UnitOfWork },
  update: Update,
): Promise<void> {
  const { model, reference, unit } = caller;
  const [chat, user] = [model.subject.chats[0], model.subject.users[0]];
  if (chat === undefined || user === undefined) return;
  const now = resolveChat(chat, reference.kept);
  const key = talkKey(now, user);
  const known = (): TalkState | undefined => {
    const own = model.has(key) ? model.own(key)?.value : parsed(reference.kept.records.get(key));
    return own as TalkState | undefined;
  };
  const keys = (): readonly string[] => {
    const next = said(known(), saying, { chat: now, user, now: reference.now });
    const job = next === "ended" ? known()?.job : next?.job;
    return job === undefined ? [key] : [key, timeoutKey(job)];
  };
  const wanted = keys();
  const began = reference.now;
  await owning(
    () => wanted,
    caller,
    () => talk.take({ update, unit, ctx: saying }),
  );
  const next = said(known(), saying, { chat: now, user, now: reference.now });
  const [, job] = wanted;
  if (next === undefined || job === undefined) return;
  reference.count(`a conversation: ${saying}`);
  if (next === "ended") {
    model.drop(key);
    model.drop(job);
    return;
  }
  // It looks at the clock while it works, which takes long where a read has to be tried again.
  const due = dueIn(unit, now, user);
  if (!(due >= began + SILENCE && due <= reference.now + SILENCE)) {
    throw new Violation(`${key} is to end at ${due}; it was gone on with from ${began} to ${reference.now}`);
  }
  model.assign(key, { ...next, due } as unknown as Value);
  model.assign(job, timeoutOf({ ...next, due }) as unknown as Value);
}

/** A timeout runs, the real one and the model's: if it is still wanted, its handlers run and the conversation ends. */
export async function endBySilence(
  data: { readonly job: string; readonly due: number; readonly chat: number; readonly user: number },
  caller: Caller,
  { real, handler }: { real: (handler: () => Promise<void>) => Promise<void>; handler: () => Promise<void> },
): Promise<void> {
  const { model, reference } = caller;
  const key = talkKey(resolveChat(data.chat, reference.kept), data.user);
  await owning(
    () => [key],
    caller,
    () => real(handler),
  );
  const talk = model.own(key)?.value as TalkState | undefined;
  if (!isTimeoutOf(data, talk)) return;
  model.drop(key);
  reference.count("a conversation: silence");
}

/** When the conversation ends in silence, as its real unit of work has it. */
function dueIn(unit: UnitOfWork, chat: number, user: number): number {
  const kept = unit.known({ kind: "conversation", name: TALK_NAME, id: [chat, user] });
  const conversation = kept?.get() as { readonly timeout?: { readonly due: number } } | undefined;
  return conversation?.timeout?.due ?? Number.NaN;
}

function parsed(text: string | undefined): unknown {
  return text === undefined ? undefined : JSON.parse(text);
}
