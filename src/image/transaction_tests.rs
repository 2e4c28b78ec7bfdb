use std::time::Duration;

use super::*;
use crate::image::change::Edit;
use crate::image::draft::Draft;
use crate::image::fixture::Place;
use crate::image::receipt::{Which, plan_revert};
use crate::image::source::sha256;

const FILES: [&str; 2] = [
    "node_modules/p/lib/database.js",
    "node_modules/q/lib/database.js",
];

fn ghost() -> (Place, Installation) {
    let place = Place::new();
    place.package("", "ghost", "6.0.0");
    place.package("node_modules/p", "p", "1.0.0");
    place.package("node_modules/q", "q", "2.0.0");
    let installation = place.locate("");
    (place, installation)
}

fn lock(installation: &Installation) -> Lock {
    Lock::acquire(installation, Duration::ZERO).unwrap()
}

fn patched(installation: &Installation, file: &str, patch: &str) -> Change {
    let receipt = Receipt::read(installation).unwrap();
    let text = std::fs::read_to_string(installation.version_directory.join(file)).unwrap();
    let package = file.split('/').nth(1).unwrap();
    let mut draft = Draft::new(receipt.as_ref(), Path::new(file), package, "1.0.0", text);
    let end = draft.text().len();
    let edit = Edit::new(
        patch,
        "1",
        draft.text(),
        [(end..end, format!("// {patch}\n"))],
    )
    .unwrap();
    draft.make(&edit).unwrap();
    draft.finish()
}

fn patch_all(installation: &Installation) -> Result<Committed> {
    let changes: Vec<Change> = FILES
        .iter()
        .map(|file| patched(installation, file, "one"))
        .collect();
    commit(installation, &lock(installation), &changes)
}

fn revert_all(installation: &Installation) -> Result<Committed> {
    let receipt = Receipt::read(installation).unwrap();
    let changes: Vec<Change> = FILES
        .iter()
        .map(|file| {
            let current = std::fs::read(installation.version_directory.join(file)).unwrap();
            plan_revert(receipt.as_ref(), Path::new(file), &current, Which::All).unwrap()
        })
        .collect();
    commit(installation, &lock(installation), &changes)
}

/// The journal of a run of `patch_all`, as if that had died right after writing it.
fn journal(installation: &Installation) -> Journal {
    let files = FILES
        .iter()
        .map(|file| {
            let change = patched(installation, file, "one");
            JournalFile::new(&change, FileEntry::after(None, &change).unwrap()).unwrap()
        })
        .collect();
    Journal::new("0.0.0", files)
}

fn write_journal(place: &Place, journal: &Journal) {
    place.file(
        ".ghostfix/journal.json",
        &String::from_utf8(journal.to_bytes()).unwrap(),
    );
}

fn sides(installation: &Installation) -> Option<Vec<Side>> {
    interrupted(installation)
        .unwrap()
        .map(|found| found.files.into_iter().map(|file| file.side).collect())
}

#[test]
fn forth_and_back_gives_the_identical_tree() {
    let (place, installation) = ghost();
    let before = place.snapshot();
    assert_eq!(patch_all(&installation).unwrap(), Committed::default());
    for file in FILES {
        assert!(
            std::fs::read_to_string(place.at(file))
                .unwrap()
                .ends_with("// one\n")
        );
    }
    let names: Vec<String> = place.snapshot().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names
            .iter()
            .filter(|name| name.contains(".ghostfix"))
            .collect::<Vec<_>>(),
        ["/.ghostfix", "/.ghostfix/receipt.json"]
    );
    assert_eq!(revert_all(&installation).unwrap(), Committed::default());
    assert_eq!(place.snapshot(), before);
}

#[test]
fn a_second_patch_in_a_file_keeps_the_first_ones_way_back() {
    let (place, installation) = ghost();
    let before = place.snapshot();
    patch_all(&installation).unwrap();
    commit(
        &installation,
        &lock(&installation),
        &[patched(&installation, FILES[0], "two")],
    )
    .unwrap();
    let receipt = Receipt::read(&installation).unwrap();
    let current = std::fs::read(place.at(FILES[0])).unwrap();
    let back = plan_revert(
        receipt.as_ref(),
        Path::new(FILES[0]),
        &current,
        Which::Only(&["one"]),
    )
    .unwrap();
    commit(&installation, &lock(&installation), &[back]).unwrap();
    assert_eq!(
        std::fs::read_to_string(place.at(FILES[0])).unwrap(),
        "// p 1.0.0\n// two\n"
    );
    revert_all(&installation).unwrap();
    assert_eq!(place.snapshot(), before);
}

#[test]
fn nothing_to_change_writes_nothing() {
    let (place, installation) = ghost();
    let before = place.snapshot();
    let mut same = patched(&installation, FILES[0], "one");
    same.after = same.before.clone();
    assert_eq!(
        commit(&installation, &lock(&installation), &[same]).unwrap(),
        Committed::default()
    );
    assert_eq!(finish(&installation, &lock(&installation)).unwrap(), None);
    assert_eq!(place.snapshot(), before);
}

#[test]
fn one_file_that_changed_meanwhile_stops_all_of_them() {
    let (place, installation) = ghost();
    let changes: Vec<Change> = FILES
        .iter()
        .map(|file| patched(&installation, file, "one"))
        .collect();
    std::fs::write(place.at(FILES[1]), "somebody else\n").unwrap();
    let before = place.snapshot();
    let error = commit(&installation, &lock(&installation), &changes).unwrap_err();
    assert_eq!(error.exit_code(), 4);
    assert!(
        error
            .to_string()
            .contains("q/lib/database.js was changed by another program"),
        "{error}"
    );
    assert_eq!(place.snapshot(), before);
}

#[test]
fn a_directory_that_became_a_link_is_not_written_through() {
    let (place, installation) = ghost();
    let outside = Place::new();
    let changes: Vec<Change> = FILES
        .iter()
        .map(|file| patched(&installation, file, "one"))
        .collect();
    std::fs::rename(place.at("node_modules/q/lib"), outside.at("lib")).unwrap();
    place.link("node_modules/q/lib", outside.at("lib"));
    let (before, before_outside) = (place.snapshot(), outside.snapshot());
    assert_eq!(
        commit(&installation, &lock(&installation), &changes)
            .unwrap_err()
            .exit_code(),
        4
    );
    assert_eq!(place.snapshot(), before);
    assert_eq!(outside.snapshot(), before_outside);

    // The same for a run that was interrupted before the link was made.
    write_journal(&place, &journal(&installation));
    assert_eq!(
        sides(&installation),
        Some(vec![Side::Before, Side::Neither])
    );
    let finished = finish(&installation, &lock(&installation))
        .unwrap()
        .unwrap();
    assert_eq!(
        (finished.how, finished.untouched),
        (How::Undone, vec![PathBuf::from(FILES[1])])
    );
    assert_eq!(place.snapshot(), before);
    assert_eq!(outside.snapshot(), before_outside);
}

#[test]
fn an_interrupted_run_is_completed_from_every_mixture() {
    for done in 0..4 {
        let (place, installation) = ghost();
        let before = place.snapshot();
        let journal = journal(&installation);
        for (index, file) in FILES
            .iter()
            .enumerate()
            .filter(|(index, _)| done & (1 << index) != 0)
        {
            let bytes = std::fs::read(place.at(file)).unwrap();
            std::fs::write(
                place.at(file),
                journal.files[index].forward(&bytes).unwrap(),
            )
            .unwrap();
        }
        write_journal(&place, &journal);
        place.file(
            "node_modules/p/lib/.database.js.ghostfix-AAAAAA",
            "left over",
        );
        place.file(".ghostfix/.receipt.json.ghostfix-AAAAAA", "left over");
        let expected = (0..2).map(|index| {
            if done & (1 << index) != 0 {
                Side::After
            } else {
                Side::Before
            }
        });
        let found = interrupted(&installation).unwrap().unwrap();
        assert!(!found.at_work);
        assert_eq!(
            found.files.iter().map(|file| file.side).collect::<Vec<_>>(),
            expected.collect::<Vec<_>>()
        );

        let finished = finish(&installation, &lock(&installation))
            .unwrap()
            .unwrap();
        assert_eq!(finished.how, How::Completed);
        assert_eq!(finished.files, FILES.map(PathBuf::from));
        assert!(finished.untouched.is_empty() && finished.notes.is_empty());
        assert_eq!(interrupted(&installation).unwrap(), None);
        revert_all(&installation).unwrap();
        assert_eq!(place.snapshot(), before, "from {done:#b}");
    }
}

#[test]
fn a_file_that_is_neither_turns_the_run_back_and_stays_as_it_is() {
    for gone in [false, true] {
        let (place, installation) = ghost();
        let journal = journal(&installation);
        let bytes = std::fs::read(place.at(FILES[0])).unwrap();
        if gone {
            std::fs::remove_dir_all(place.at("node_modules/q")).unwrap();
        } else {
            std::fs::write(place.at(FILES[1]), "somebody else\n").unwrap();
        }
        let before = place.snapshot();
        std::fs::write(
            place.at(FILES[0]),
            journal.files[0].forward(&bytes).unwrap(),
        )
        .unwrap();
        write_journal(&place, &journal);
        assert_eq!(
            sides(&installation),
            Some(vec![
                Side::After,
                if gone { Side::Gone } else { Side::Neither }
            ])
        );
        let finished = finish(&installation, &lock(&installation))
            .unwrap()
            .unwrap();
        assert_eq!(finished.how, How::Undone);
        assert_eq!(finished.files, [PathBuf::from(FILES[0])]);
        assert_eq!(finished.untouched, [PathBuf::from(FILES[1])]);
        assert_eq!(place.snapshot(), before);
    }
}

#[test]
fn a_journal_that_was_all_that_was_left_is_removed() {
    let (place, installation) = ghost();
    let journal = journal(&installation);
    patch_all(&installation).unwrap();
    let after = place.snapshot();
    write_journal(&place, &journal);
    place.file(
        "node_modules/p/lib/.database.js.ghostfix-AAAAAA",
        "left over",
    );
    assert_eq!(interrupted(&installation).unwrap(), None, "it has happened");
    let finished = finish(&installation, &lock(&installation))
        .unwrap()
        .unwrap();
    assert_eq!(finished.how, How::Completed);
    assert_eq!(place.snapshot(), after);
}

#[test]
fn an_old_receipt_of_the_same_edit_does_not_pass_for_a_finished_run() {
    let (place, installation) = ghost();
    let journal = journal(&installation);
    let originals = FILES.map(|file| std::fs::read(place.at(file)).unwrap());
    patch_all(&installation).unwrap();
    // The package is installed anew, which leaves the receipt; the next run dies between the two files.
    std::fs::write(place.at(FILES[1]), &originals[1]).unwrap();
    write_journal(&place, &journal);
    assert_eq!(sides(&installation), Some(vec![Side::After, Side::Before]));
    assert_eq!(
        finish(&installation, &lock(&installation))
            .unwrap()
            .unwrap()
            .how,
        How::Completed
    );
    for file in journal.files {
        let bytes = std::fs::read(place.at(&file.path)).unwrap();
        assert_eq!(file.side(Some(&bytes)), Side::After);
    }
}

#[test]
fn a_run_must_not_begin_over_an_interrupted_one() {
    let (place, installation) = ghost();
    write_journal(&place, &journal(&installation));
    let before = place.snapshot();
    assert_eq!(patch_all(&installation).unwrap_err().exit_code(), 70);
    assert_eq!(place.snapshot(), before);
}

#[test]
fn a_journal_that_is_not_ours_or_contradicts_itself_touches_nothing() {
    let (place, installation) = ghost();
    let good = String::from_utf8(journal(&installation).to_bytes()).unwrap();
    for (content, words) in [
        ("{}".to_owned(), "its schema is \"missing\""),
        (
            good.replace("node_modules/p/", "../p/"),
            "is not a path inside of the installation",
        ),
        (
            good.replace("\"inserted\": \"// one", "\"inserted\": \"// evil"),
            "the journal contradicts itself",
        ),
    ] {
        place.file(".ghostfix/journal.json", &content);
        let before = place.snapshot();
        let error = finish(&installation, &lock(&installation)).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.exit_code(), 5);
        assert_eq!(place.snapshot(), before);
    }
}

#[test]
fn a_run_at_work_is_not_called_interrupted() {
    let (place, installation) = ghost();
    write_journal(&place, &journal(&installation));
    let held = lock(&installation);
    assert!(interrupted(&installation).unwrap().unwrap().at_work);
    drop(held);
    assert!(!interrupted(&installation).unwrap().unwrap().at_work);
}

#[test]
fn what_a_run_left_that_was_killed_before_its_journal_goes_with_the_next_one() {
    let (place, installation) = ghost();
    let before = place.snapshot();
    place.file(".ghostfix/.journal.json.ghostfix-AAAAAA", "left over");
    assert_eq!(finish(&installation, &lock(&installation)).unwrap(), None);
    assert_eq!(place.snapshot(), before);
}

#[test]
fn the_lock_of_another_installation_is_no_lock() {
    let (_here, installation) = ghost();
    let (_there, other) = ghost();
    let error = commit(
        &installation,
        &lock(&other),
        &[patched(&installation, FILES[0], "one")],
    )
    .unwrap_err();
    assert_eq!(error.exit_code(), 70);
}

#[test]
fn the_receipt_tells_what_was_written() {
    let (place, installation) = ghost();
    patch_all(&installation).unwrap();
    let receipt = Receipt::read(&installation).unwrap().unwrap();
    assert_eq!(
        receipt
            .files
            .iter()
            .map(|entry| entry.path.as_str())
            .collect::<Vec<_>>(),
        FILES
    );
    for entry in &receipt.files {
        assert_eq!(
            entry.written,
            sha256(&std::fs::read(place.at(&entry.path)).unwrap())
        );
    }
}
