import { expect, test } from "vitest";
import { Transcript } from "./transcript.ts";

function call(method: string): Parameters<Transcript["add"]>[0] {
  return { type: "call", bot: "memory_bot", method, payload: {}, ok: true };
}

test("keeps the newest entries up to its limit, and goes on counting", () => {
  const transcript = new Transcript(() => 7, 1500);
  for (let index = 0; index < 4000; index += 1) transcript.add(call(index % 2 === 0 ? "getMe" : "sendMessage"));
  const entries = transcript.entries();
  expect(entries).toHaveLength(1500);
  expect(entries[0]).toEqual({ ...call("getMe"), index: 2500, at: 7 });
  expect(transcript.entries({ method: "sendmessage", from: 3990 }).map(({ index }) => index)).toEqual([
    3991, 3993, 3995, 3997, 3999,
  ]);
  expect(transcript.tail(2).map(({ index }) => index)).toEqual([3998, 3999]);
});
