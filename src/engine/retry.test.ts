import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { DrivenClock, settled } from "../../test/support/driven-clock.ts";
import { PerdureError } from "../errors.ts";
import { retry, type RetryOptions } from "./retry.ts";

interface Setting extends RetryOptions {
  readonly clock: DrivenClock;
  readonly controller: AbortController;
  readonly failures: { attempt: number; pause: number }[];
}

function setUp(): Setting {
  const controller = new AbortController();
  const failures: Setting["failures"] = [];
  return {
    clock: new DrivenClock(),
    controller,
    signals: [new AbortController().signal, controller.signal],
    failures,
    onFailure: (_error, attempt, pause) => void failures.push({ attempt, pause }),
  };
}

const busy = (): never => {
  throw new PerdureError("PERDURE_BUSY", "busy");
};

describe("retry", () => {
  test("tries until it works, with pauses that double up to ten seconds", async () => {
    const options = setUp();
    let attempts = 0;
    const result = retry(() => ((attempts += 1) < 11 ? busy() : "done"), options);
    await options.clock.advance(60_000);
    expect(await result).toBe("done");
    expect(options.failures.map(({ pause }) => pause)).toEqual([
      50, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000,
    ]);
    expect(options.failures.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test.each(["PERDURE_REFUSED", "PERDURE_CLOSED", "PERDURE_UNSUPPORTED"] as const)(
    "takes %s as final",
    async (code) => {
      const options = setUp();
      const result = retry(() => {
        throw new PerdureError(code, "no");
      }, options);
      await expect(result).rejects.toMatchObject({ code });
      expect(options.failures).toEqual([]);
    },
  );

  test("does nothing when it was given up before it began", async () => {
    const options = setUp();
    options.controller.abort();
    let attempts = 0;
    const result = retry(() => (attempts += 1), options);
    await expect(result).rejects.toMatchObject({ code: "PERDURE_STOPPED" });
    expect(attempts).toBe(0);
  });

  test("does not try again, and reports nothing, when it was given up while it tried", async () => {
    const options = setUp();
    let attempts = 0;
    const result = retry(() => {
      attempts += 1;
      options.controller.abort();
      return busy();
    }, options);
    await expect(result).rejects.toMatchObject({ code: "PERDURE_STOPPED" });
    expect([attempts, options.failures]).toEqual([1, []]);
  });

  test("is given up in the middle of a pause", async () => {
    const options = setUp();
    const result = retry(busy, options);
    await settled();
    options.controller.abort();
    await expect(result).rejects.toMatchObject({ code: "PERDURE_STOPPED" });
    expect(options.failures).toHaveLength(1);
  });

  test("what works although it was given up meanwhile has worked", async () => {
    const options = setUp();
    const result = retry(() => {
      options.controller.abort();
      return "done";
    }, options);
    expect(await result).toBe("done");
  });

  test("leaves no listener behind on signals, which live longer", async () => {
    const options = setUp();
    let attempts = 0;
    const result = retry(() => ((attempts += 1) < 4 ? busy() : "done"), options);
    await options.clock.advance(200);
    expect(getEventListeners(options.controller.signal, "abort")).toHaveLength(1);
    await options.clock.advance(60_000);
    await result;
    expect(getEventListeners(options.controller.signal, "abort")).toEqual([]);
  });
});
