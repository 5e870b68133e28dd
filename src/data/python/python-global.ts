/** A class or a function of Python, which is kept by its name: `builtins.int`, `mybot.models.Outer.Inner`. */
export class PythonGlobal {
  readonly module: string;
  /** Its name in the module, with dots for what is in a class. */
  readonly name: string;

  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }

  /** Module and name: `mybot.models.Player`. */
  toString(): string {
    return `${this.module}.${this.name}`;
  }
}
