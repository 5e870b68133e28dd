// Type-checks the programs in README.md and docs/: every ```ts block that begins with an import.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

const root = new URL("..", import.meta.url);
const folder = new URL(".docs-check/", root);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);

const pages = ["README.md", ...readdirSync(new URL("docs/", root)).map((name) => `docs/${name}`)];
let count = 0;
for (const page of pages.filter((name) => name.endsWith(".md"))) {
  const text = readFileSync(new URL(page, root), "utf8");
  for (const [, program = ""] of text.matchAll(/```ts\n(import [\s\S]*?)```/g)) {
    count += 1;
    const name = `${page.replaceAll(/[/.]/g, "-")}-${count}.ts`;
    writeFileSync(new URL(name, folder), `// ${page}\n${program}`);
  }
}
const config = { extends: "../tsconfig.json", compilerOptions: { isolatedDeclarations: false }, include: ["*.ts"] };
writeFileSync(new URL("tsconfig.json", folder), JSON.stringify(config));
try {
  execFileSync("tsc", ["-p", folder.pathname], { stdio: "inherit" });
  console.log(`${count} programs of the documentation compile.`);
} catch {
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
