import { expect, test } from "vitest";
import { requireNodeVersion } from "./node-version.ts";

test("an older Node is told which one is needed", () => {
  for (const old of ["18.20.8", "20.20.2", "22.12.0", "22.4.1", "21.9.0"]) {
    expect(() => requireNodeVersion(old)).toThrow(expect.objectContaining({ code: "PERDURE_NODE_VERSION" }));
    expect(() => requireNodeVersion(old)).toThrow(`22.13 or newer; this is Node ${old}`);
  }
  for (const fine of ["22.13.0", "22.23.3", "24.0.0", "100.1.0"]) expect(() => requireNodeVersion(fine)).not.toThrow();
});
