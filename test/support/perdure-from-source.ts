// `node --import`: an example runs with this repository's source as "perdure", without a build.
import { registerHooks } from "node:module";

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "perdure"
      ? next("../../src/index.ts", { ...context, parentURL: import.meta.url })
      : next(specifier, context),
});
