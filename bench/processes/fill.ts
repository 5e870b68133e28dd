// Keeps the chats and users of a setting, for measurements to come.
import { entryOf } from "../contenders/all.ts";
import { answer } from "./answer.ts";
import type { ContenderJob } from "./job.ts";

await answer(async ({ contender, setting }: ContenderJob) => {
  const subject = await entryOf(contender).load(setting);
  await subject.fill();
  await subject.close();
  return null;
});
