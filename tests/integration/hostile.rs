//! Input that nobody means well: a clear error within a second, no crash, and not a byte written.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use crate::common::{PATCH, Report, ghostfix, run};
use crate::installation::{Installation, write};
use crate::packages;
use crate::tree::Tree;
use crate::variants::DATABASE;

/// What a user waits at most for the news that it is not to be. A debug build is slower by more than this allows for.
const PATIENCE: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 1 });

/// Runs `patch`, and makes sure of all that every hostile input has in common.
fn refused(what: &str, installation: &Installation) -> Report {
    let before = Tree::of(&installation.root);
    let report = installation.patch();
    let changes: Vec<String> = before
        .changes(&Tree::of(&installation.root))
        .into_iter()
        .filter(|change| !change.contains(".ghostfix"))
        .collect();
    assert_eq!(changes, [""; 0], "{what}");
    let code = report.code();
    assert!([3, 4, 5].contains(&code), "{what}: {}", report.answer);
    assert!(
        !report.answer.stderr.contains("panicked"),
        "{what}: {}",
        report.answer
    );
    assert!(report.answer.worked < PATIENCE, "{what}: {}", report.answer);
    report
}

/// `patch` on a knex-migrator whose file holds these bytes: exit code 4, and the state and the reason given.
fn file(what: &str, bytes: &[u8]) -> (String, String) {
    let installation = Installation::small("6.2.1");
    fs::write(installation.database(), bytes).unwrap();
    let report = refused(what, &installation);
    assert_eq!(report.code(), 4, "{what}: {}", report.answer);
    let entry = report.entry();
    assert!(entry["next_step"].is_string(), "{what}");
    (
        report.state().to_owned(),
        entry["reason"].as_str().unwrap().to_owned(),
    )
}

fn published() -> String {
    String::from_utf8(packages::published("knex-migrator", "6.2.1", DATABASE)).unwrap()
}

/// The published file with more code, run when it is loaded.
fn loading(more: &str) -> String {
    format!("{}\n{more}\n", published())
}

/// The published file with more code where the connection is made.
fn connecting(more: &str) -> String {
    published().replacen(
        "    debug('Create database', name);",
        &format!("    {more}"),
        1,
    )
}

#[test]
fn nesting_of_any_kind_is_no_crash() {
    const DEEP: usize = 100_000;
    let nested = |open: &str, inner: &str, close: &str| {
        format!(
            "{}\nx = {}{inner}{};\n",
            published(),
            open.repeat(DEEP),
            close.repeat(DEEP)
        )
    };
    for (what, text) in [
        ("parentheses", nested("(", "1", ")")),
        ("brackets", nested("[", "1", "]")),
        (
            "braces",
            format!("{}{}", "{".repeat(DEEP), "}".repeat(DEEP)),
        ),
        ("parentheses that never close", nested("(", "1", "")),
        ("templates", nested("`${", "1", "}`")),
        ("nots", nested("!", "1", "")),
        ("arrows", nested("a=>", "1", "")),
        ("conditionals", nested("a?1:", "1", "")),
        ("calls", nested("f(", "1", ")")),
    ] {
        let (state, reason) = file(what, text.as_bytes());
        // What the parser takes, the engine may not.
        assert!(
            ["drifted", "proof-failed"].contains(&state.as_str()),
            "{what}: {state}: {reason}"
        );
    }
}

#[test]
fn long_chains_are_no_crash() {
    // No brackets at all, and a tree as deep as the file is long: either verdict will do, a crash will not.
    const LONG: usize = 50_000;
    for (what, text) in [
        (
            "sums",
            loading(&format!("const x = {}1;", "1+".repeat(LONG))),
        ),
        (
            "members",
            loading(&format!("const x = () => a{};", ".b".repeat(LONG))),
        ),
        (
            "else ifs",
            loading(&format!("{}{{}}", "if (0) {} else ".repeat(LONG / 10))),
        ),
        ("labels", loading(&format!("{};", "a:".repeat(3)))),
        ("statements", loading(&";".repeat(LONG))),
    ] {
        let installation = Installation::small("6.2.1");
        fs::write(installation.database(), &text).unwrap();
        let report = installation.patch();
        assert!([0, 4].contains(&report.code()), "{what}: {}", report.answer);
        let written = fs::read_to_string(installation.database()).unwrap() != text;
        assert_eq!(written, report.code() == 0, "{what}");
        assert!(
            !report.answer.stderr.contains("panicked"),
            "{what}: {}",
            report.answer
        );
    }
}

#[test]
fn a_file_of_50_megabytes_is_not_even_read() {
    let mut large = published().into_bytes();
    large.resize(50 * 1024 * 1024, b' ');
    let (state, reason) = file("50 MB", &large);
    assert_eq!(state, "drifted");
    assert!(reason.contains("52428800"), "{reason}");
}

#[test]
fn what_is_no_text_says_where() {
    let mut latin = published().into_bytes();
    let place = latin.len();
    latin.extend(b"// caf\xe9\n");
    let (state, reason) = file("Latin-1", &latin);
    assert_eq!(state, "drifted");
    assert!(reason.contains(&(place + 6).to_string()), "{reason}");

    let noise: Vec<u8> = (0u32..60_000)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0])
        .collect();
    for (what, bytes) in [
        ("noise", noise),
        ("an ELF header", b"\x7fELF\x02\x01\x01\0\0\0\0\0".to_vec()),
        ("zeros", vec![0; 4096]),
        ("half a character", b"\xf0\x9f".to_vec()),
        (
            "UTF-16",
            published()
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect(),
        ),
    ] {
        assert_eq!(file(what, &bytes).0, "drifted", "{what}");
    }
}

#[test]
fn what_is_empty_or_no_program_is_drifted() {
    for (what, text) in [
        ("nothing", ""),
        ("a space", " "),
        ("a byte order mark", "\u{feff}"),
        ("a comment", "// moved"),
        ("JSON", r#"{"moved": true}"#),
        ("HTML", "<!doctype html><title>404</title>"),
        (
            "a merge conflict",
            "<<<<<<< HEAD\nexports.x = 1;\n=======\nexports.x = 2;\n>>>>>>> other\n",
        ),
    ] {
        assert_eq!(file(what, text.as_bytes()).0, "drifted", "{what}");
    }
}

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

#[test]
fn a_package_json_that_is_none_is_told_by_name() {
    for (what, text) in [
        ("nothing", ""),
        ("no JSON", "{"),
        ("a list", "[]"),
        ("a word", "\"ghost\""),
        ("null", "null"),
        ("binary", "\0\u{1}\u{2}"),
        ("an HTML page", "<html>"),
        ("no version", r#"{"name": "ghost"}"#),
        (
            "a version that is no text",
            r#"{"name": "ghost", "version": 6}"#,
        ),
        (
            "deep nesting",
            &format!(
                "{{\"name\": \"ghost\", \"version\": \"6.65.0\", \"x\": {}{}}}",
                "[".repeat(100_000),
                "]".repeat(100_000)
            ),
        ),
    ] {
        for of_ghost in [true, false] {
            let installation = Installation::small("6.2.1");
            let manifest = if of_ghost {
                installation.ghost.join("package.json")
            } else {
                installation.package().join("package.json")
            };
            let text = if of_ghost {
                text.to_owned()
            } else {
                text.replace("\"ghost\"", "\"knex-migrator\"")
            };
            fs::write(&manifest, text).unwrap();
            let report = refused(what, &installation);
            let said = report.json["error"]
                .as_str()
                .unwrap_or_else(|| panic!("{what}: {}", report.answer));
            assert!(said.contains("package.json"), "{what}: {said}");
            assert!(report.json["next_step"].is_string(), "{what}");
        }
    }
}

#[test]
fn a_lying_version_changes_no_verdict() {
    let lying = |version: &str| {
        let installation = Installation::small("6.2.1");
        write(
            &installation.package().join("package.json"),
            &format!(r#"{{"name": "knex-migrator", "version": "{version}"}}"#),
        );
        installation
    };
    for version in ["0.0.0", "999.0.0", "5.1.5", "6.2.1-rc.1"] {
        let report = lying(version).patch();
        assert_eq!(
            (report.code(), report.state()),
            (0, "applied"),
            "{version}: {}",
            report.answer
        );
    }
    for version in ["latest", "../../etc/passwd", "\\u001b[2J\\u0007"] {
        let report = refused(version, &lying(version));
        assert_eq!(report.code(), 5, "{}", report.answer);
        assert!(
            report.json["error"]
                .as_str()
                .unwrap()
                .contains("which is no version"),
            "{}",
            report.answer
        );
        assert!(
            !report.answer.stderr.contains(['\u{1b}', '\u{7}']),
            "control characters reach no terminal"
        );
    }
    // A range reader's idea of a version may be generous; a terminal is not to pay for it.
    let installation = lying("6.2.1\\u001b[2J\\u0007");
    let root = installation.root.as_os_str();
    let answer = ghostfix([
        "patch".as_ref(),
        "--only".as_ref(),
        PATCH.as_ref(),
        "--root".as_ref(),
        root,
    ]);
    assert!(!answer.stdout.contains(['\u{1b}', '\u{7}']), "{answer}");
    assert!(!answer.stderr.contains(['\u{1b}', '\u{7}']), "{answer}");
}

#[test]
fn links_in_circles_come_to_an_end() {
    let circle = |at: &Path| {
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        symlink("b", at).unwrap();
        symlink(at.file_name().unwrap(), at.with_file_name("b")).unwrap();
    };
    let installation = Installation::empty();
    circle(&installation.root.join("current"));
    refused("current", &installation);

    let installation = Installation::small("6.2.1");
    fs::remove_dir_all(installation.package()).unwrap();
    circle(&installation.root.join("node_modules/knex-migrator"));
    refused("the package", &installation);

    let installation = Installation::small("6.2.1");
    fs::remove_file(installation.database()).unwrap();
    circle(installation.database());
    refused("the file", &installation);

    let installation = Installation::small("6.2.1");
    fs::remove_dir_all(installation.root.join("node_modules")).unwrap();
    circle(&installation.root.join("node_modules"));
    refused("node_modules", &installation);

    // Circles that nothing depends on are passed by.
    let installation = Installation::small("6.2.1");
    symlink(".", installation.root.join("node_modules/self")).unwrap();
    symlink("../..", installation.root.join("node_modules/@up")).unwrap();
    symlink(
        &installation.root,
        installation.package().join("node_modules"),
    )
    .unwrap();
    let report = run("patch", &installation.root, &["--only", PATCH, "--deep"]);
    assert_eq!(
        (report.code(), report.states()),
        (0, vec!["applied"]),
        "{}",
        report.answer
    );
}

#[test]
fn what_is_no_file_is_not_opened() {
    for (what, path) in [("the file", DATABASE), ("its manifest", "package.json")] {
        let installation = Installation::small("6.2.1");
        let path = installation.package().join(path);
        fs::remove_file(&path).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        refused(&format!("{what} is a pipe"), &installation);

        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        refused(&format!("{what} is a directory"), &installation);

        fs::remove_dir(&path).unwrap();
        symlink("/dev/zero", &path).unwrap();
        refused(&format!("{what} is a device"), &installation);

        fs::remove_file(&path).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(&path);
        refused(&format!("{what} is a socket"), &installation);
    }
}
