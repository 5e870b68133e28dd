import type { ChatKey, JobKey, UserKey } from "../data/record.ts";
import type { Engine } from "../engine/engine.ts";
import type { KeptValue } from "../engine/kept-value.ts";
import { isInternal } from "./internal.ts";
import type { JobHost } from "./job-host.ts";
import type { JobFilter } from "./job-queue.ts";
import { isSameChat } from "./job-record.ts";
import { listedJob, type Job } from "./job.ts";

/** The jobs that a filter lets through: those of the last commit, and what the unit of work that the caller is a handler of has changed by then. */
export async function* listJobs(host: JobHost, filter: JobFilter): AsyncGenerator<Job> {
  const engine = await host.engine();
  const listed = new Set<string>();
  for await (const kept of engine.records.kept("job", { of: ownerOf(filter, engine) })) {
    const { id } = kept.key as JobKey;
    listed.add(id);
    const job = listedJob(host, id, host.unit()?.known(kept.key) ?? kept);
    if (job !== undefined && isWanted(job, filter, engine)) yield job;
  }
  for (const { key } of host.unit()?.opened("job") ?? []) {
    const kept: KeptValue | undefined = listed.has(key.id) ? undefined : host.unit()?.known(key);
    const job = kept && listedJob(host, key.id, kept);
    if (job !== undefined && isWanted(job, filter, engine)) yield job;
  }
}

function ownerOf({ chatId, userId }: JobFilter, engine: Engine): ChatKey | UserKey | undefined {
  if (chatId !== undefined) return { kind: "chat", id: engine.chatId(chatId) };
  return userId === undefined ? undefined : { kind: "user", id: userId };
}

function isWanted(
  job: Job,
  { state, name, definition, chatId, userId, internal = false }: JobFilter,
  engine: Engine,
): boolean {
  const definitionName = typeof definition === "object" ? definition.name : definition;
  return (
    (internal || !isInternal(job.id)) &&
    (state === undefined || job.state === state) &&
    (name === undefined || (typeof name === "string" ? job.name === name : job.name.search(name) >= 0)) &&
    (definitionName === undefined || job.definition === definitionName) &&
    (chatId === undefined || isSameChat(engine, job.chatId, chatId)) &&
    (userId === undefined || job.userId === userId)
  );
}
