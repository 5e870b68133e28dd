// Moves what a Python bot has kept, in its pickle file, into an SQLite file. `--dry-run` only says what would happen, `--back` goes the other way.
//
//   node examples/move-from-python.ts bot.pickle bot.sqlite 123456789 --dry-run
import { parseArgs } from "node:util";
import { copyPersistence, isPerdureError, PicklePersistence, SqlitePersistence } from "../src/index.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "dry-run": { type: "boolean", default: false },
    back: { type: "boolean", default: false },
    /** The names of states that are numbers in Python, as JSON: `{"survey":{"0":"NAME","1":"AGE"}}`. */
    states: { type: "string", default: "{}" },
  },
});
const [filepath = "bot.pickle", path = "bot.sqlite", botId = "1"] = positionals;
const pickle = new PicklePersistence({ filepath, stateNames: JSON.parse(values.states) });
const sqlite = new SqlitePersistence({ path });
const [from, to] = values.back ? [sqlite, pickle] : [pickle, sqlite];

try {
  const result = await copyPersistence(from, to, {
    botId: Number(botId),
    dryRun: values["dry-run"],
    // A pickle has no place for the inbox, jobs and collections.
    partial: values.back,
  });
  console.log(values["dry-run"] ? "Nothing was written. This would be copied:" : "Copied:");
  console.table(result.records);
  for (const [change, count] of Object.entries(result.mapping?.became ?? {})) console.log(`${count} × ${change}`);
  for (const { path: where, what } of result.mapping?.inexact ?? []) console.log(`not exactly: ${where}: ${what}`);
  for (const message of result.refused ?? []) console.log(`refused: ${message}`);
  if (Object.values(result.records).every((count) => count === 0)) {
    console.error(`There was nothing to copy. Is the path right? ${values.back ? path : filepath}`);
    process.exitCode = 1;
  }
} catch (error) {
  if (!isPerdureError(error)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
}
