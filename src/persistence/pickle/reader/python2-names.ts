/** Modules that Python 3 calls otherwise. Pickles of protocols 0 to 2 have Python 2's names, whoever wrote them (PTB statement 59). */
const MODULES: ReadonlyMap<string, string> = new Map([
  ["__builtin__", "builtins"],
  ["copy_reg", "copyreg"],
  ["cPickle", "pickle"],
  ["cStringIO", "io"],
  ["StringIO", "io"],
  ["Queue", "queue"],
  ["ConfigParser", "configparser"],
  ["Cookie", "http.cookies"],
  ["HTMLParser", "html.parser"],
  ["SocketServer", "socketserver"],
  ["UserDict", "collections"],
  ["UserList", "collections"],
  ["UserString", "collections"],
  ["commands", "subprocess"],
  ["cookielib", "http.cookiejar"],
  ["dbhash", "dbm.bsd"],
  ["dumbdbm", "dbm.dumb"],
  ["gdbm", "dbm.gnu"],
  ["httplib", "http.client"],
  ["repr", "reprlib"],
  ["robotparser", "urllib.robotparser"],
  ["thread", "_thread"],
  ["urllib2", "urllib.request"],
  ["urlparse", "urllib.parse"],
  ["whichdb", "dbm"],
  ["xmlrpclib", "xmlrpc.client"],
]);

/** Names that have changed with their module. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ["__builtin__.xrange", "builtins.range"],
  ["__builtin__.reduce", "functools.reduce"],
  ["__builtin__.intern", "sys.intern"],
  ["__builtin__.unichr", "builtins.chr"],
  ["__builtin__.unicode", "builtins.str"],
  ["__builtin__.long", "builtins.int"],
  ["itertools.izip", "builtins.zip"],
  ["itertools.imap", "builtins.map"],
  ["itertools.ifilter", "builtins.filter"],
  ["UserDict.IterableUserDict", "collections.UserDict"],
  ["exceptions.StandardError", "builtins.Exception"],
]);

/** What a class or function of a pickle of protocol 0 to 2 is called in Python 3. */
export function python3Name(module: string, name: string): readonly [module: string, name: string] {
  const renamed = NAMES.get(`${module}.${name}`);
  if (renamed !== undefined) {
    const dot = renamed.indexOf(".");
    return [renamed.slice(0, dot), renamed.slice(dot + 1)];
  }
  if (module === "exceptions") return ["builtins", name];
  return [MODULES.get(module) ?? module, name];
}
