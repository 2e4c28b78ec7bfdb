use super::*;
use crate::javascript::parse;
use crate::javascript::pattern::same;

fn tree(text: &str) -> Tree {
    of(&parse::parse(text).unwrap()).unwrap()
}

/// All that JavaScript has, but what only the other kind of file may have.
const SCRIPT: &str = r"
f(...a); [...b, , c]; a = {...d, e, 'f': 1, [g]: 2, ['h']: 3, i() {}, async *j() {}, get k() { return 1 }, 5: 6, 7n: 8n,
    set k(v) {}, [`l`]: 9, m: function () {}, n: x => x, o: async x => { ; x }};
const {p, q = 1, r: s, ...t} = u, [v, , w = 2, ...x] = y; let z; var aa; with (a) { b }
class A extends B { #a = 1; static b; static { c(); } constructor() { super(); super.x; this.#a; }
    static async *m() { yield* 1; await 2; } get g() { return 1 } set g(v) {} ['c']() {} static #p() { return #a in this } }
(class {}); (function* g() {}); a?.b?.[c]?.(d); a['b']; a[b]; import('x'); `a${b}c`; tag`x${y}`; /re/gi.test(s); 1e3;
null; true; this; label: for (;;) { continue label; break; } for (const i in o) ; for (const i of o) {} while (1) ;
do { } while (0); switch (a) { case 1: ; default: b } try { } catch { } finally { } try {} catch ({message}) {}
if (a) ; else if (b) c; else { d } throw e; debugger; delete a.b, void 0; a ? b : c; a ||= b; a++; !(a === b);
({a = 1} = y); function h() { new.target; new H }
";
const MODULE: &str = r#"
import a, {b as c, default as d, 'str' as e} from 'x'; import * as f from 'y' with {type: 'json'}; import 'side';
export {a, c as g}; export {"a b" as h} from "r"; export * from 'z'; export * as i from 'w'; export const j = await 1;
export class K {} import.meta.url; for await (const x of y) {} export default function () {}
"#;

#[test]
fn all_that_swc_gives_has_a_name() {
    for text in [
        SCRIPT,
        MODULE,
        "export default class {}",
        "export default 1",
    ] {
        assert!(of(&parse::parse(text).unwrap()).is_ok(), "{text}");
    }
}

#[test]
fn what_is_written_in_many_ways_is_the_same_tree() {
    for spellings in [
        &["f('it')", "f(\"it\")", "f('\\x69t')", "(f)(`it`)"][..],
        &["a.b == 1", "a['b'] === 1.0", "a?.b == 0x1"],
        &[
            "x = {a: a, b: 1, c: function () { return d; }}",
            "x = {a, 'b': 1, ['c']: () => d}",
            "x = {a, [`b`]: 1, c: function e() { ; return (d); }}",
        ],
        &["({a: b, c: c} = d)", "({'a': b, c} = d)"],
        &["if (a) b; else c;", "if (a) { b } else { ; c }"],
    ] {
        let first = tree(spellings[0]);
        for other in &spellings[1..] {
            let other = tree(other);
            assert!(
                same(first.root(), other.root()),
                "{:?}\n{:?}",
                first.root(),
                other.root()
            );
        }
    }
    assert!(!same(tree("a === 'b'").root(), tree("a === 'c'").root()));
}

#[test]
fn parts_are_in_source_order_with_their_bytes() {
    let text = "\u{feff}f(ä, {'b': [1, [2]]}, g)";
    let tree = tree(text);
    let mut seen = Vec::new();
    let mut waiting = vec![tree.root()];
    while let Some(node) = waiting.pop() {
        seen.push((node.kind().as_str(), &text[node.range()]));
        let at = waiting.len();
        waiting.extend(node.children());
        waiting[at..].reverse();
    }
    assert_eq!(
        seen[2..],
        [
            ("CallExpression", "f(ä, {'b': [1, [2]]}, g)"),
            ("Identifier", "f"),
            ("Identifier", "ä"),
            ("ObjectExpression", "{'b': [1, [2]]}"),
            ("Property", "'b': [1, [2]]"),
            ("ArrayExpression", "[1, [2]]"),
            ("NumericLiteral", "1"),
            ("ArrayExpression", "[2]"),
            ("NumericLiteral", "2"),
            ("Identifier", "g"),
        ]
    );
}

#[test]
fn records_are_small() {
    assert_eq!(size_of::<Record>(), 16);
    assert_eq!(size_of::<Field>(), 16);
    assert_eq!(size_of::<Held>(), 12);
}
