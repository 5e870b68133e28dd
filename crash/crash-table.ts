import { killsOf, sum, type WayReport } from "./campaign.ts";
import { placesOf, type Load, type Storage } from "./crash-plan.ts";
import { markdownTable } from "./markdown-table.ts";

const NAMES: Readonly<Record<Storage, string>> = { perdure: "Perdure", file: "file storage" };

const RUNS = "runs of jobs";

const ROWS: readonly [name: string, of: (report: WayReport) => number][] = [
  ["**kills**", killsOf],
  ["updates", ({ updates }) => updates],
  [RUNS, ({ runs }) => runs],
  ["**lost**", ({ lost }) => lost],
  ["**twice**", ({ twice }) => twice],
  ["**misordered**", ({ misordered }) => misordered],
  ["**torn**", ({ torn }) => torn],
  ["**unreadable**", ({ unreadable }) => unreadable],
];

/** What a campaign found, as a table: a column for each way, and one for all ways of a storage. */
export function crashTable(reports: readonly WayReport[], load: Load): string {
  const columns = (["perdure", "file"] as const).flatMap((storage) => columnsOf(storage, reports));
  const places = placesOf("perdure", load).map((place) => [
    place,
    ...columns.map(({ report }) => {
      const isPossible = placesOf(report.storage, load).includes(place);
      return isPossible ? String(report.kills.get(place) ?? 0) : "–";
    }),
  ]);
  const rows = ROWS.filter(([name]) => name !== RUNS || load !== "texts").map(([name, of]) => [
    name,
    ...columns.map(({ report }) => String(of(report))),
  ]);
  return markdownTable(["", ...columns.map(({ title }) => title)], [...places, ...rows]);
}

function columnsOf(storage: Storage, reports: readonly WayReport[]): { title: string; report: WayReport }[] {
  const own = reports.filter((report) => report.storage === storage);
  const [first] = own;
  if (first === undefined) return [];
  const columns = own.map((report) => ({ title: `${NAMES[storage]}, ${report.mode}`, report }));
  if (own.length === 1) return columns;
  return [...columns, { title: `${NAMES[storage]}, all`, report: { ...first, ...sum(own) } }];
}
