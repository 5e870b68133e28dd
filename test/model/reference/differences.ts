import { isDone, type FileContent } from "./file-content.ts";
import { memoryOf, type Kept } from "./kept.ts";

/** A range of done updates that is longer than any history is wrong. */
const LONGEST_RANGE = 10_000;

/** What is in the file and may not be, and what is not and must be, in words. */
export function differences(kept: Kept, file: FileContent): string[] {
  return [
    ...recordDifferences(kept, file),
    ...listDifference("the inbox", kept.inbox, [...file.inbox.values()]),
    ...listDifference("the failed updates", kept.failed, file.failed),
    ...aliasDifferences(kept, file),
    ...doneDifferences(kept, file),
  ];
}

function recordDifferences(kept: Kept, file: FileContent): string[] {
  const keys = new Set([...kept.records.keys(), ...file.records.keys()]);
  return [...keys]
    .filter((key) => kept.records.get(key) !== file.records.get(key))
    .map((key) => `${key} is ${String(file.records.get(key))}, must be ${String(kept.records.get(key))}`);
}

interface Listed {
  readonly id: number;
  readonly attempts: number;
  readonly text: string;
}

function listDifference(name: string, expected: readonly Listed[], found: readonly Listed[]): string[] {
  const told = (list: readonly Listed[]): string => list.map(({ id, attempts }) => `${id} (${attempts})`).join(", ");
  const isSame =
    expected.length === found.length &&
    expected.every(({ id, attempts, text }, index) => {
      const other = found[index];
      return other?.id === id && other.attempts === attempts && other.text === text;
    });
  return isSame ? [] : [`${name} (and attempts): [${told(found)}], must be [${told(expected)}]`];
}

function aliasDifferences(kept: Kept, file: FileContent): string[] {
  const told = (aliases: ReadonlyMap<number, number>): string =>
    [...aliases]
      .sort(([a], [b]) => a - b)
      .map(([from, to]) => `${from} -> ${to}`)
      .join(", ");
  const [expected, found] = [told(kept.aliases), told(file.aliases)];
  return expected === found ? [] : [`the chat aliases are [${found}], must be [${expected}]`];
}

function doneDifferences(kept: Kept, file: FileContent): string[] {
  const forgotten = [...kept.done.keys()].filter((id) => memoryOf(id, kept, file.now) === "done" && !isDone(id, file));
  const covered = file.done.flatMap(({ first, last }) =>
    last - first < LONGEST_RANGE
      ? Array.from({ length: last - first + 1 }, (_, index) => first + index)
      : [first, last],
  );
  const invented = covered.filter((id) => memoryOf(id, kept, file.now) === "forgotten");
  return [
    ...forgotten.map((id) => `update ${id} is done, and the file does not remember it`),
    ...invented.map((id) => `the file takes update ${id} for done, and it is not`),
  ];
}
