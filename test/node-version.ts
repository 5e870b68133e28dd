/** Without `npm ci`'s own runtime, npm scripts run on the system's Node in silence. Better to stop here. */
export default function requireNode(): void {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < 22 || (major === 22 && minor < 13)) {
    throw new Error(
      `Tests need Node 22.13 or newer, this is ${process.versions.node}. ` +
        "`npm ci` (without --ignore-scripts) brings the right one.",
    );
  }
}
