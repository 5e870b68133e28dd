import { PerdureError } from "./errors.ts";

/** Throws `PERDURE_NODE_VERSION` for a version of Node without `node:sqlite`. */
export function requireNodeVersion(version: string = process.versions.node): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 13)) return;
  throw new PerdureError(
    "PERDURE_NODE_VERSION",
    `perdure needs Node 22.13 or newer; this is Node ${version}. Update Node.`,
  );
}
