//! A kill and an error at every single system call: afterwards each file is as it was before or as it is after, to the
//! last byte, and the next run makes it whole.

use super::trace::{Call, Fault, calls, with_fault};
use super::*;

/// What a bed may hold after a fault: each target old or new, everything that is not ours as it was.
fn check_nothing_is_torn(bed: &Bed, before: &Snapshot, after: &Snapshot, context: &str) {
    let now = bed.snapshot();
    for target in TARGETS {
        let path = Path::new("ghost").join(target);
        let found = now
            .get(&path)
            .unwrap_or_else(|| panic!("{context}: {target} is gone"));
        assert!(
            found == &before[&path] || found == &after[&path],
            "{context}: {target} is torn: {found:?}"
        );
    }
    let others = |snapshot: &Snapshot| {
        let mut others = snapshot.clone();
        others.retain(|path, _| !path.to_string_lossy().contains(".ghostfix"));
        for target in TARGETS {
            others.remove(&Path::new("ghost").join(target));
        }
        others
    };
    assert_eq!(others(&now), others(before), "{context}");
}

/// A bed in the state from before a verb.
fn fresh(before: &Snapshot) -> Bed {
    let bed = Bed::new();
    for (path, entry) in before
        .iter()
        .filter(|(path, _)| path.to_string_lossy().contains(".ghostfix/"))
    {
        bed.file(
            path.strip_prefix("ghost").unwrap().to_str().unwrap(),
            &entry.content,
        );
    }
    for target in TARGETS {
        let path = bed.root.join(target);
        let content = &before[&Path::new("ghost").join(target)].content;
        if std::fs::read_to_string(&path).unwrap() != *content {
            // A file of its own, as the program leaves it: the store keeps the original.
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, content).unwrap();
        }
    }
    assert_eq!(&bed.snapshot(), before);
    bed
}

fn described(verb: &str, call: &Call, fault: Fault) -> String {
    format!(
        "{verb}, {fault:?} at {} number {}: {}",
        call.name, call.nth, call.line
    )
}

/// Killed at every call; then `verify` writes nothing, and `next` leads to `expected`.
fn killed_everywhere(verb: &str, next: &str) {
    let (before, after) = undisturbed(verb);
    let expected = if verb == next { &after } else { &before };
    let mut torn_between = 0;
    // What comes before the first write changes nothing; every call from there on is one to die at.
    let calls = calls(&fresh(&before).root, verb);
    let first = calls.iter().position(Call::writes).unwrap();
    for call in &calls[first..] {
        let context = described(verb, call, Fault::Kill);
        let bed = fresh(&before);
        let answer = with_fault(&bed.root, verb, call, Fault::Kill, None);
        assert!(!answer.success(), "{context}: it was not killed\n{answer}");
        check_nothing_is_torn(&bed, &before, &after, &context);
        let [one, other] = TARGETS.map(|target| Path::new("ghost").join(target));
        let now = bed.snapshot();
        torn_between += usize::from((now[&one] == before[&one]) != (now[&other] == before[&other]));

        let answer = run(&bed.root, "verify");
        assert!(
            matches!(answer.code(), 0 | 1),
            "{context}: verify: {answer}"
        );
        assert_eq!(bed.snapshot(), now, "{context}: verify writes nothing");

        let answer = run(&bed.root, next);
        assert!(answer.success(), "{context}: {next} afterwards: {answer}");
        assert_eq!(&bed.snapshot(), expected, "{context}: {next} afterwards");
    }
    assert!(
        torn_between > 0,
        "no kill fell between the two files: this has tested nothing"
    );
}

#[test]
fn a_killed_patch_is_finished_by_the_next_patch() {
    killed_everywhere("patch", "patch");
}

#[test]
fn a_killed_patch_is_undone_by_revert() {
    killed_everywhere("patch", "revert");
}

#[test]
fn a_killed_revert_is_finished_by_the_next_revert() {
    killed_everywhere("revert", "revert");
}

#[test]
fn a_killed_revert_is_taken_up_by_patch() {
    killed_everywhere("revert", "patch");
}

/// Fails every call in turn. Either the run succeeds, or it says why and nothing has changed.
fn failed_everywhere(verb: &str, faults: &[Fault], also: Option<(&str, &str)>) {
    let (before, after) = undisturbed(verb);
    let (mut succeeded, mut refused) = (0, 0);
    let mut seen = Vec::new();
    for call in calls(&fresh(&before).root, verb) {
        // One of several that ask the same is enough, as long as they write nothing.
        if !call.writes() && seen.contains(&call.line) {
            continue;
        }
        seen.push(call.line.clone());
        // Which error it is makes a difference to what writes.
        for fault in &faults[..if call.writes() { faults.len() } else { 1 }] {
            let context = described(verb, &call, *fault);
            let bed = fresh(&before);
            let inodes = bed.inodes();
            let answer = with_fault(&bed.root, verb, &call, *fault, also);
            assert!(
                !answer.timed_out && answer.status.code().is_some(),
                "{context}: {answer}"
            );
            check_nothing_is_torn(&bed, &before, &after, &context);
            let now = bed.snapshot();
            if answer.success() {
                succeeded += 1;
                if now != after {
                    // What could not be cleared away any more is told, and goes with the next run.
                    assert_eq!(
                        bed.targets(),
                        if verb == "patch" { AFTER } else { BEFORE },
                        "{context}"
                    );
                    assert!(
                        answer.stdout.contains("the next run clears this away"),
                        "{context}: {answer}"
                    );
                }
            } else {
                refused += 1;
                assert!(matches!(answer.code(), 3..=5), "{context}: {answer}");
                let silenced = call.name == "write" && matches!(fault, Fault::FromThenOn(_));
                assert!(
                    silenced || answer.stderr.lines().count() >= 2,
                    "{context}: {answer}"
                );
                if now == before {
                    if also.is_none() {
                        assert_eq!(
                            bed.inodes(),
                            inodes,
                            "{context}: the files are the very same"
                        );
                    }
                } else {
                    assert!(
                        answer.stderr.contains("and on the way back"),
                        "{context}: not told: {answer}"
                    );
                    if matches!(fault, Fault::Once(_)) {
                        let old = if verb == "patch" { BEFORE } else { AFTER };
                        assert_eq!(
                            bed.targets(),
                            old,
                            "{context}: one fault must not stop the way back"
                        );
                    }
                }
            }
            let answer = run(&bed.root, verb);
            assert!(answer.success(), "{context}: afterwards: {answer}");
            assert_eq!(bed.snapshot(), after, "{context}: afterwards");
        }
    }
    assert!(
        succeeded > 0 && refused > 20,
        "{succeeded} succeeded, {refused} refused: were there any faults?"
    );
}

#[test]
fn a_patch_whose_system_calls_fail_once_changes_nothing() {
    failed_everywhere(
        "patch",
        &[
            Fault::Once("EIO"),
            Fault::Once("ENOSPC"),
            Fault::Once("EACCES"),
        ],
        None,
    );
}

#[test]
fn a_revert_whose_system_calls_fail_once_changes_nothing() {
    failed_everywhere("revert", &[Fault::Once("EIO"), Fault::Once("EROFS")], None);
}

#[test]
fn a_patch_whose_system_calls_fail_for_good_can_be_finished() {
    failed_everywhere(
        "patch",
        &[Fault::FromThenOn("EIO"), Fault::FromThenOn("ENOSPC")],
        None,
    );
}

#[test]
fn a_revert_whose_system_calls_fail_for_good_can_be_finished() {
    failed_everywhere("revert", &[Fault::FromThenOn("EIO")], None);
}

/// As on a file system that cannot exchange two files (NFS).
#[test]
fn without_exchange_the_way_back_is_written_anew() {
    failed_everywhere(
        "patch",
        &[Fault::Once("EIO")],
        Some(("renameat2", "EINVAL")),
    );
}
