/** Does the job that this process was started with, and sends its result to who started it. */
export async function answer<Job, Result>(work: (job: Job) => Promise<Result>): Promise<void> {
  const result = await work(JSON.parse(process.argv[2] ?? "null") as Job);
  process.send?.({ result });
}
