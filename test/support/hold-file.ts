// Opens a file as a bot does and says so: `hold-file.ts FILE [keep]`. With "keep" it stays until it is killed.
import { SqlitePersistence } from "../../src/index.ts";

const [path = "", keep] = process.argv.slice(2);
const persistence = new SqlitePersistence({ path, ownerTimeout: 0 });
try {
  await persistence.open({ botId: 1, now: Date.now });
  console.log("open");
  if (keep === "keep") setInterval(() => {}, 1000);
  else persistence.close();
} catch (error) {
  const { code, message } = error as { code?: string; message: string };
  console.log(`${code}: ${message}`);
}
