// Loaded before a program that names the package, as users' programs do: it gets the sources of this repository.
import { registerHooks } from "node:module";

const SOURCES: Readonly<Record<string, string>> = {
  perdure: new URL("../../src/index.ts", import.meta.url).href,
};

registerHooks({ resolve: (name, context, next) => next(SOURCES[name] ?? name, context) });
