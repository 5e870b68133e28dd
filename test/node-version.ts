import { requireNodeVersion } from "../src/node-version.ts";

/** Without the runtime that `npm ci` brings, npm scripts run on the system's Node in silence. Better to stop here. */
export default function setup(): void {
  requireNodeVersion();
}
