import { REFUSED, UNKEEPABLE, type Value } from "../reference/unit-model.ts";

/** What no codec can keep. */
const unkeepable = (): void => {};

type Change = (value: Value, token: number) => Value;
type Doing = "count" | "nest" | "forget" | "replace" | "spoil" | "overfill";

/** What actions do to a value: the same to the real one and to the model's. In place, or a new value is returned. */
export const CHANGES: Readonly<Record<Doing, Change>> = {
  count(value: Value): Value {
    value["n"] = Number(value["n"] ?? 0) + 1;
    return value;
  },
  nest(value: Value, token: number): Value {
    const deep = (value["deep"] ??= { trail: [], by: {} }) as { trail: number[]; by: Value };
    deep.trail.push(token);
    deep.by[`t${token}`] = { at: [token, null, "é\u2028"] };
    return value;
  },
  forget(value: Value): Value {
    delete value["deep"];
    return value;
  },
  replace(value: Value, token: number): Value {
    return { was: token, n: Number(value["n"] ?? 0) + 1 };
  },
  spoil(value: Value): Value {
    value[UNKEEPABLE] = unkeepable;
    return value;
  },
  overfill(value: Value, token: number): Value {
    value[REFUSED] = token;
    return value;
  },
};

/** Makes a value that cannot be assigned anew the same as another. */
export function become(value: Value, other: Value): void {
  if (value === other) return;
  for (const key of Object.keys(value)) delete value[key];
  Object.assign(value, other);
}
