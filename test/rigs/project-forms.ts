import type { Files } from './packages-scene.ts';
import { MOC_PIN } from './project-checkout.ts';

/*
 * Small programs that read everything that a program can read, so that each edit of the mutation table has something to
 * change. Stable variables of named types are there because only they let paths reach the bytes.
 */

export const LEDGER = 'ryjl3-tyaaa-aaaaa-aaaba-cai';

const MAIN = `// every kind of import
import Dir "dir";
import Shapes "Shapes";
import { scale; type Size } "Scale";
import Words "../shared/Words";
import Logo "blob:file:../assets/logo.bin";
import Ledger "canister:ledger";
import Clock "canister:clock";
import Management "ic:aaaaa-aa";
import Tiny "mo:tiny";
import Util "mo:tiny/util";
import Rock "mo:rock";
import Near "mo:near/Near";

persistent actor {
  type Own = { size : Size };
  var own : ?Own = null;
  var shape : ?Shapes.Shape = null;
  var pack : ?Tiny.Pack = null;
  var place : ?Near.Place = null;

  /// The size of everything.
  public func measure(text : Text) : async Nat {
    assert text != "";
    let size = switch own { case (?{ size }) { size + 1 }; case null { 1 } };
    own := ?{ size };
    shape := ?Shapes.square(scale(size));
    pack := ?Tiny.pack(Words.greet(text));
    place := ?Near.named(text);
    debug { place := null };
    size + Dir.value + Logo.size() + Util.value + Rock.value;
  };

  public func ask() : async Int {
    let account = await Ledger.account();
    account.balance + (await Management.cycles()) + (await Clock.now());
  };
};
`;

const TOML = `[toolchain]
moc = "${MOC_PIN}"

[dependencies]
tiny = "1.0.0"
near = "../near/{MOPS_ENV}"
rock = "https://github.com/o/rock#main"

[moc]
args = ["-A=M0194", "-W=M0223"]

[build]
args = ["--args", "moc.args"]

[canisters.app]
main = "src/Main.mo"
args = ["--actor-idl", "idl", "--actor-alias", "ledger", "${LEDGER}", "--actor-env-alias", "clock", "PUBLIC_CANISTER_ID:clock", "ext/clock.did"]
`;

const NEAR = 'module { public type Place = { name : Text }; public func named(name : Text) : Place { { name } } };\n';

export const FORMS: Files = {
  'mops.toml': TOML,
  'moc.args': '--error-detail\n2\n',
  'src/Main.mo': MAIN,
  'src/dir/lib.mo': 'module { public let value = 1 };\n',
  'src/Shapes.mo':
    'module { public type Shape = { #square : Nat }; public func square(n : Nat) : Shape { #square(n) } };\n',
  'src/Scale.mo': 'module { public type Size = Nat; public func scale(n : Nat) : Nat { n * 10 } };\n',
  'shared/Words.mo': 'module { public func greet(name : Text) : Text { "hello " # name } };\n',
  'assets/logo.bin': 'LOGO\n',
  [`idl/${LEDGER}.did`]: 'import "types.did";\nservice : { account : () -> (account) query };\n',
  'idl/types.did': 'type account = record { balance : int };\n',
  'idl/aaaaa-aa.did': 'service : { cycles : () -> (nat) };\n',
  'ext/clock.did': 'service : { now : () -> (int) };\n',
  '.mops/tiny@1.0.0/mops.toml': '[package]\nname = "tiny"\nversion = "1.0.0"\n[dependencies]\npebble = "1.0.0"\n',
  '.mops/tiny@1.0.0/src/lib.mo':
    'import Pebble "mo:pebble";\nmodule { public type Pack = { text : Text }; public func pack(text : Text) : Pack { { text = Pebble.mark # text } } };\n',
  '.mops/tiny@1.0.0/src/util/lib.mo': 'module { public let value = 2 };\n',
  '.mops/tiny@1.0.0/src/Spare.mo': 'module { public let spare = 3 };\n',
  '.mops/pebble@1.0.0/mops.toml': '[package]\nname = "pebble"\nversion = "1.0.0"\n',
  '.mops/pebble@1.0.0/src/lib.mo': 'module { public let mark = "*" };\n',
  '.mops/pebble@1.1.0/mops.toml': '[package]\nname = "pebble"\nversion = "1.1.0"\n',
  '.mops/pebble@1.1.0/src/lib.mo': 'module { public let mark = "**" };\n',
  '.mops/pebble@1.2.0/mops.toml': '[package]\nname = "pebble"\nversion = "1.2.0"\n',
  '.mops/pebble@1.2.0/src/lib.mo': 'module { public let mark = "***" };\n',
  '.mops/pebble@1.3.0/mops.toml': '[package]\nname = "pebble"\nversion = "1.3.0"\n',
  '.mops/pebble@1.3.0/src/lib.mo': 'module { public let mark = "****" };\n',
  '.mops/_github/rock#main/src/lib.mo': 'module { public let value = 4 };\n',
  '../near/local/Near.mo': NEAR,
  '../near/far/Near.mo': NEAR,
};

/** A canister whose state has a history. */
export const CHAIN: Files = {
  'mops.toml': `[toolchain]
moc = "${MOC_PIN}"

[canisters.app]
main = "src/Main.mo"

[canisters.app.migrations]
chain = "steps"
`,
  'src/Main.mo': `import Types "Types";
persistent actor {
  let first : Types.First;
  var second : Text;
  public query func get() : async (Nat, Text) { (first.n, second) };
  public func set(text : Text) : async () { second := text };
};
`,
  'src/Types.mo': 'module { public type First = { n : Nat } };\n',
  'steps/1_first.mo':
    'import Types "../src/Types";\nmodule { public func migration(_ : {}) : { first : Types.First } { { first = { n = 1 } } } };\n',
  'steps/2_second.mo': 'module { public func migration(_ : {}) : { var second : Text } { { var second = "x" } } };\n',
};

/** A canister that makes others. */
export const FACTORY: Files = {
  'mops.toml': `[toolchain]
moc = "${MOC_PIN}"

[canisters]
app = "src/Main.mo"
`,
  'src/Main.mo': `import Cell "Cell";
persistent actor { public func make() : async Nat { let cell = await Cell.Cell(3); await cell.get() } };
`,
  'src/Cell.mo': `import Start "Start";
persistent actor class Cell(n : Nat) { public func get() : async Nat { n + Start.value } };
`,
  'src/Start.mo': 'module { public let value = 5 };\n',
};
