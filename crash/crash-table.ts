import { killsOf, sum, type WayReport } from "./campaign.ts";
import { PLACES, PLACES_OF_FILE, type Storage } from "./crash-plan.ts";
import { markdownTable } from "./markdown-table.ts";

const NAMES: Readonly<Record<Storage, string>> = { perdure: "Perdure", file: "file storage" };

const ROWS: readonly [name: string, of: (report: WayReport) => number][] = [
  ["**kills**", killsOf],
  ["updates", ({ updates }) => updates],
  ["**lost**", ({ lost }) => lost],
  ["**twice**", ({ twice }) => twice],
  ["**misordered**", ({ misordered }) => misordered],
  ["**torn**", ({ torn }) => torn],
  ["**unreadable**", ({ unreadable }) => unreadable],
];

/** What a campaign found, as a table: a column for each way, and one for all ways of a storage. */
export function crashTable(reports: readonly WayReport[]): string {
  const columns = (["perdure", "file"] as const).flatMap((storage) => columnsOf(storage, reports));
  const places = PLACES.map((place) => [
    place,
    ...columns.map(({ report }) => {
      const isPossible = report.storage === "perdure" || PLACES_OF_FILE.includes(place);
      return isPossible ? String(report.kills.get(place) ?? 0) : "–";
    }),
  ]);
  const rows = ROWS.map(([name, of]) => [name, ...columns.map(({ report }) => String(of(report)))]);
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
