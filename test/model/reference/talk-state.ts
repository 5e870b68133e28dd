import { isDeepStrictEqual } from "node:util";
import type { JobState } from "./job-state.ts";

/** The state of the one conversation that there is, of a chat and a user, as the model knows it. */
export interface TalkState {
  readonly state: "A" | "B";
  /** The id of the job that ends it, and when that is due, in milliseconds since 1970. */
  readonly job: string;
  readonly due: number;
  readonly chat: number;
  readonly user: number;
}

/** What somebody says: it begins a conversation, goes on to the other state, or ends it. */
export type Saying = "begin" | "go on" | "end";

/** What the keys of conversations begin with, and those of the jobs that end them. */
export const TALK = "conversation:";
export const TALK_NAME = "talk";
const TIMEOUT_JOB = "job:perdure:conversation-timeout:";

/** After so much silence it ends, in milliseconds. */
export const SILENCE: number = 5 * 60_000;

export function talkKey(chat: number, user: number): string {
  return `${TALK}${chat},${user}`;
}

export function timeoutKey(job: string): string {
  return TIMEOUT_JOB + job;
}

export function talkText({ state, job, due, chat, user }: TalkState): string {
  return JSON.stringify({ state, job, due, chat, user });
}

export function talkOf(text: string | undefined): TalkState | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as TalkState);
}

/** What becomes of a conversation when somebody says something: `undefined` if no handler takes it, `"ended"`, or its state. */
export function said(
  talk: TalkState | undefined,
  saying: Saying,
  { chat, user, now }: { readonly chat: number; readonly user: number; readonly now: number },
): TalkState | "ended" | undefined {
  if ((talk === undefined) !== (saying === "begin")) return undefined;
  if (saying === "end") return "ended";
  const state = talk === undefined || talk.state === "B" ? "A" : "B";
  const job = talk?.job ?? JSON.stringify([TALK_NAME, chat, user]);
  return { state, job, due: now + SILENCE, chat, user };
}

/** The job that ends a conversation. */
export function timeoutOf({ job, due, chat, user }: TalkState): JobState {
  return { definition: "timeout", rhythm: "once", anchor: due, data: { job, due, chat, user }, chat, user, next: due };
}

/** Whether a job that is due is the one that is to end this conversation. */
export function isTimeoutOf(data: unknown, talk: TalkState | undefined): boolean {
  const { job, due } = data as TalkState;
  return isDeepStrictEqual([talk?.job, talk?.due], [job, due]);
}
