//! What must be on the disk before what, so that a machine that loses power leaves no more to do than a killed process.

use super::trace::{Call, calls};
use super::*;

/// Where in the run a call is that has all these words in its line.
fn place(calls: &[Call], name: &str, words: &[&str]) -> usize {
    let fits = |call: &Call| call.name == name && words.iter().all(|word| call.line.contains(word));
    let all: Vec<usize> = (0..calls.len())
        .filter(|index| fits(&calls[*index]))
        .collect();
    assert_eq!(all.len(), 1, "{name} {words:?} in\n{}", listed(calls));
    all[0]
}

fn listed(calls: &[Call]) -> String {
    calls
        .iter()
        .map(|call| format!("{}\n", call.line))
        .collect()
}

/// Whether a descriptor of this path is synced between two places.
fn synced(calls: &[Call], path: &str, after: usize, before: usize) -> bool {
    let descriptor = format!("<{path}>");
    calls[after..before]
        .iter()
        .any(|call| call.name == "fsync" && call.line.contains(&descriptor))
}

#[test]
fn everything_is_on_the_disk_before_what_relies_on_it() {
    for verb in ["patch", "revert"] {
        let bed = Bed::new();
        if verb == "revert" {
            assert!(run(&bed.root, "patch").success());
        }
        let calls = calls(&bed.root, verb);
        let root = bed.root.display().to_string();
        let ours = format!("{root}/.ghostfix");
        let journal = place(&calls, "renameat", &[&format!("\"{ours}/journal.json\"")]);
        let removed = place(&calls, "unlink", &[&format!("\"{ours}/journal.json\"")]);
        // Put in its place by a patch, taken out of it by a revert.
        let receipt = place(&calls, "renameat", &[&format!("\"{ours}/receipt.json\"")]);
        let temporary = |index: usize| {
            let line = &calls[index].line;
            line.split('"').nth(1).unwrap().to_owned()
        };
        let told = |what: &str| format!("{verb}: {what}\n{}", listed(&calls));

        assert!(
            synced(&calls, &temporary(journal), 0, journal),
            "{}",
            told("the journal before its rename")
        );
        if verb == "patch" {
            let made = place(&calls, "mkdir", &[&ours]);
            assert!(
                synced(&calls, &root, made, journal),
                "{}",
                told("the directory of the journal before it")
            );
            assert!(
                synced(&calls, &temporary(receipt), 0, receipt),
                "{}",
                told("the receipt before its rename")
            );
        }
        for target in TARGETS {
            let path = format!("{root}/{target}");
            let directory = Path::new(&path).parent().unwrap().display().to_string();
            let put = place(&calls, "renameat2", &[&format!("\"{path}\"")]);
            assert!(
                journal < put && put < receipt && receipt < removed,
                "{}",
                told("journal, files, receipt, journal")
            );
            assert!(
                synced(&calls, &ours, journal, put),
                "{}",
                told("the journal before the first file")
            );
            assert!(
                synced(&calls, &temporary(put), 0, put),
                "{}",
                told("the content before its name")
            );
            assert!(
                synced(&calls, &directory, put, receipt),
                "{}",
                told("the file's name before the receipt")
            );
            let cleared = place(&calls, "unlink", &[&temporary(put), "= 0"]);
            assert!(
                receipt < cleared && cleared < removed,
                "{}",
                told("the old file is kept until the receipt")
            );
            assert!(
                synced(&calls, &directory, cleared, removed),
                "{}",
                told("nothing is left when the journal goes")
            );
        }
        assert!(
            synced(&calls, &ours, receipt, removed),
            "{}",
            told("the receipt before the journal goes")
        );
        assert!(
            synced(&calls, &ours, removed, calls.len()),
            "{}",
            told("the journal is gone for good")
        );
    }
}

#[test]
fn a_second_run_writes_nothing_at_all() {
    let bed = Bed::new();
    for verb in ["patch", "revert"] {
        assert!(run(&bed.root, verb).success());
        let before = bed.snapshot();
        let writes: Vec<String> = calls(&bed.root, verb)
            .iter()
            .filter(|call| call.writes())
            .map(|call| call.line.clone())
            .collect();
        assert!(writes.is_empty(), "{verb}: {writes:#?}");
        assert_eq!(bed.snapshot(), before);
    }
    assert!(
        calls(&bed.root, "patch").iter().any(Call::writes),
        "a run that writes is seen to write"
    );
}
