//! Code that the proof runs, and that does its worst there.

use std::fs;

use super::{connecting, file, loading};
use crate::installation::Installation;

#[test]
fn code_that_never_ends_fails_the_proof_in_time() {
    for (what, more) in [
        ("a loop", "for (;;) {}"),
        (
            "a loop with a catch",
            "for (;;) { try { for (;;) {} } catch (e) {} }",
        ),
        (
            "a loop in finally",
            "try { for (;;) {} } finally { for (;;) {} }",
        ),
        (
            "microtasks",
            "(function again() { Promise.resolve().then(again); })();",
        ),
        (
            "microtasks that breed",
            "(function again() { Promise.resolve().then(again); Promise.resolve().then(again); })();",
        ),
        (
            "a regular expression",
            "/^(a+)+$/.test('a'.repeat(40) + 'b');",
        ),
        (
            "a generator",
            "for (const x of (function* () { for (;;) yield 1; })()) {}",
        ),
        (
            "a search",
            "Array.prototype.indexOf.call({length: 2 ** 53 - 1}, 1);",
        ),
        (
            "a sort that never settles",
            "Array.from({length: 1e6}, (_, n) => n).sort(() => { for (;;) {} });",
        ),
        (
            "a getter",
            "Object.defineProperty(exports, 'createDatabaseIfNotExist', {get() { for (;;) {} }});",
        ),
    ] {
        let (state, reason) = file(what, loading(more).as_bytes());
        assert_eq!(state, "proof-failed", "{what}: {reason}");
    }
    for (what, more) in [
        ("a loop", "while (true) {}"),
        (
            "a promise that never settles",
            "await new Promise(() => {});",
        ),
        ("awaiting for ever", "for (;;) await null;"),
        (
            "a thenable that goes on",
            "await (function more() { return {then: done => done(more())}; })();",
        ),
    ] {
        let (state, reason) = file(what, connecting(more).as_bytes());
        assert_eq!(state, "proof-failed", "{what}: {reason}");
    }
}

#[test]
fn code_that_wants_all_memory_fails_the_proof_in_time() {
    for (what, more) in [
        (
            "arrays",
            "const all = []; for (;;) all.push(new Array(1e5).fill(all));",
        ),
        ("a string", "let s = 'x'; for (;;) s += s;"),
        ("one array", "const one = new Array(4e9 >>> 0).fill(1);"),
        ("a buffer", "const one = new ArrayBuffer(8e9);"),
        ("a join", "new Array(2 ** 32 - 1).join('ghost');"),
        (
            "recursion",
            "(function deeper() { return deeper() + 1; })();",
        ),
        ("deep JSON", "JSON.parse('['.repeat(1e6));"),
        ("a deep regular expression", "new RegExp('('.repeat(1e6));"),
        (
            "closures",
            "let f = () => 1; for (;;) { const g = f; f = () => g(); }",
        ),
        ("a repeat", "'ghost'.repeat(2 ** 28).repeat(8);"),
    ] {
        let (state, reason) = file(what, loading(more).as_bytes());
        assert_eq!(state, "proof-failed", "{what}: {reason}");
    }
}

#[test]
fn code_that_reaches_out_finds_nothing() {
    let installation = Installation::empty();
    let witness = installation.beside("touched");
    let path = witness.display();
    for (what, more) in [
        (
            "a file",
            format!("require('fs').writeFileSync('{path}', 'x');"),
        ),
        (
            "a process",
            format!("require('child_process').execSync('touch {path}');"),
        ),
        (
            "a binding",
            format!("process.binding('fs').writeFileUtf8('{path}', 'x');"),
        ),
        ("os", format!("os.exec(['touch', '{path}']);")),
        ("std", format!("std.open('{path}', 'w').puts('x');")),
        (
            "an import",
            format!("import('std').then(std => std.open('{path}', 'w').puts('x'));"),
        ),
    ] {
        // Whatever the verdict is, nothing happens.
        let installation = Installation::small("6.2.1");
        fs::write(installation.database(), loading(&more)).unwrap();
        let report = installation.dry_run();
        assert!([0, 4].contains(&report.code()), "{what}: {}", report.answer);
        assert!(!witness.exists(), "{what} was written by code under proof");
    }
    for (what, more) in [
        ("exit", "process.exit(0);"),
        ("kill", "process.kill(process.pid, 'SIGKILL');"),
        ("abort", "process.abort();"),
        ("a throw", "throw new Error('no');"),
        ("a throw of nothing", "throw undefined;"),
    ] {
        assert_eq!(
            file(what, loading(more).as_bytes()).0,
            "proof-failed",
            "{what}"
        );
    }
}

#[test]
fn a_proof_that_is_cheated_on_is_no_proof() {
    // Swallows every error, and reaches for what the harness looks with.
    let swallow = |more: &str| {
        loading(more).replacen(
            "if (err.errno === 1007) {",
            "if (err.errno === 1007 || err) {",
            1,
        )
    };
    for (what, more) in [
        ("nothing", ""),
        (
            "JSON.stringify",
            "const was = JSON.stringify; JSON.stringify = (v) => was({...v, settles: 'throws', code: 'DATABASE_CREATION_FAILED'});",
        ),
        (
            "Promise.then",
            "Promise.prototype.then = function () { return this; };",
        ),
        ("Object.assign", "Object.assign = (target) => target;"),
        ("String", "String = () => 'throws';"),
        ("RegExp.test", "RegExp.prototype.test = () => true;"),
    ] {
        let (state, reason) = file(what, swallow(more).as_bytes());
        assert!(
            ["proof-failed", "broken-by-hand", "drifted"].contains(&state.as_str()),
            "{what}: {state}: {reason}"
        );
    }
}
