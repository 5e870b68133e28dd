/** Objects and arrays nest at most this deep. Deeper is nearly always a mistake, and recursion must end somewhere. */
export const maxDepth = 1000;

/** Where a value is in the value that contains it. */
export type PlaceKind =
  | "root"
  | "key"
  | "symbol"
  | "plain"
  | "null"
  | "index"
  | "sparse"
  | "mapKey"
  | "mapValue"
  | "member"
  | "class"
  | "filled";

export type Step = string | number;

/**
 * The place of a value, as a chain up to the root. One chain tells two paths: the one that a person reads in an error,
 * and the one through the JSON document that a `$ref` tag holds.
 */
export interface Place {
  readonly parent: Place | undefined;
  readonly kind: PlaceKind;
  /** The key, or the position in the list that the document has for this parent. */
  readonly at: Step;
  /** What else the label needs: the Map key of a Map value, the index in a sparse array, the symbol. */
  readonly detail: unknown;
  readonly depth: number;
}

export function rootPlace(name: string): Place {
  return { parent: undefined, kind: "root", at: name, detail: undefined, depth: 1 };
}

export function placeIn(parent: Place, kind: PlaceKind, at: Step, detail?: unknown): Place {
  return { parent, kind, at, detail, depth: parent.depth + 1 };
}

const steps: Record<PlaceKind, (place: Place) => Step[]> = {
  root: () => [],
  key: ({ at }) => [at],
  symbol: () => [],
  plain: ({ at }) => ["$plain", at],
  null: ({ at }) => ["$null", at],
  index: ({ at }) => [at],
  sparse: ({ at }) => ["$sparse", 1, at, 1],
  mapKey: ({ at }) => ["$map", at, 0],
  mapValue: ({ at }) => ["$map", at, 1],
  member: ({ at }) => ["$set", at],
  class: () => ["$class", 1],
  filled: () => ["$class", 1],
};

/** The path from the root of the JSON document to this place. */
export function documentPath(place: Place): Step[] {
  return chain(place).flatMap((each) => steps[each.kind](each));
}

const labels: Record<PlaceKind, (place: Place) => string> = {
  root: ({ at }) => String(at),
  key: ({ at }) => keyLabel(String(at)),
  symbol: ({ detail }) => `[${cut(String(detail))}]`,
  plain: ({ at }) => keyLabel(String(at)),
  null: ({ at }) => keyLabel(String(at)),
  index: ({ at }) => `[${at}]`,
  sparse: ({ detail }) => `[${String(detail)}]`,
  mapKey: ({ at }) => `<key ${at}>`,
  mapValue: ({ at, detail }) => `.get(${mapKeyLabel(detail, at)})`,
  member: ({ at }) => `<member ${at}>`,
  class: ({ detail }) => `<${cut(String(detail))}>`,
  filled: ({ detail }) => `<${cut(String(detail))}>`,
};

/** The most labels that an error shows at each end of a path; what is between is left out. */
const shownLabels = 12;

/** The path to this place as a person reads it: `userData.42.cart[3].get("a")`. */
export function readablePath(place: Place): string {
  const places = chain(place);
  if (places.length <= 2 * shownLabels) return places.map(labelOf).join("");
  const start = places.slice(0, shownLabels).map(labelOf).join("");
  const end = places.slice(-shownLabels).map(labelOf).join("");
  return `${start} … ${end}`;
}

function labelOf(place: Place): string {
  return labels[place.kind](place);
}

function chain(place: Place): Place[] {
  const places: Place[] = [];
  for (let each: Place | undefined = place; each !== undefined; each = each.parent) places.push(each);
  return places.toReversed();
}

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

function keyLabel(key: string): string {
  const shown = cut(key);
  return identifier.test(shown) ? `.${shown}` : `[${JSON.stringify(shown)}]`;
}

function mapKeyLabel(key: unknown, position: Step): string {
  if (typeof key === "string") return JSON.stringify(cut(key));
  if (typeof key === "bigint") return `${cut(key.toString())}n`;
  return typeof key === "object" && key !== null ? `<key ${position}>` : String(key);
}

function cut(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}
