import { open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Puts a new content in the place of a file, or makes the file. Whatever happens, the file is the old one or the new one, whole; when it resolves, the
 * new one survives a power cut. A new content that was never finished is left beside it as `<file>-new`, and overwritten by the next one.
 */
export async function replaceFile(file: string, content: Uint8Array): Promise<void> {
  const fresh = `${file}-new`;
  try {
    await writeDurably(fresh, content, await modeOf(file));
    await rename(fresh, file);
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => {});
    throw error;
  }
  await syncFolder(dirname(file));
}

async function writeDurably(file: string, content: Uint8Array, mode: number | undefined): Promise<void> {
  const handle = await open(file, "w", 0o600);
  try {
    await handle.writeFile(content);
    // As it was; a new file gets what the process gives to others.
    await handle.chmod(mode ?? 0o666 & ~process.umask());
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function modeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).mode & 0o7777;
  } catch {
    return undefined;
  }
}

async function syncFolder(folder: string): Promise<void> {
  // Windows has no such thing.
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
