use super::*;
use crate::image::draft::Draft;
use crate::image::fixture::Place;

const FILE: &str = "node_modules/p/lib/a.js";

/// A receipt of two patches in one file, and the text that they were made in.
fn two_patches() -> (Receipt, String) {
    let mut draft = Draft::new(
        None,
        Path::new(FILE),
        "p",
        "1.0.0",
        "if (a) { b(); }\n".to_owned(),
    );
    for (patch, at, inserted) in [("first", 5, " || c"), ("second", 0, "/* é */ ")] {
        let edit =
            change::Edit::new(patch, "1", draft.text(), [(at..at, inserted.to_owned())]).unwrap();
        draft.make(&edit).unwrap();
    }
    let text = draft.text().to_owned();
    let entry = FileEntry::after(None, &draft.finish()).unwrap();
    (
        Receipt::with(None, &[(FILE.to_owned(), entry)], "0.1.0", |_| true).unwrap(),
        text,
    )
}

fn reverted(receipt: &Receipt, text: &str, which: Which<'_>) -> Result<String, NotRevertible> {
    plan_revert(Some(receipt), Path::new(FILE), text.as_bytes(), which)
        .map(|change| String::from_utf8(change.after).unwrap())
}

#[test]
fn the_receipt_is_the_same_on_every_machine() {
    let (receipt, _) = two_patches();
    let expected = r#"{
  "schema": "ghostfix.receipt.v1",
  "ghostfix": "0.1.0",
  "files": [
    {
      "path": "node_modules/p/lib/a.js",
      "package": "p",
      "version": "1.0.0",
      "original": "ORIGINAL",
      "written": "WRITTEN",
      "edits": [
        {
          "id": "first",
          "edit": "1",
          "splices": [
            {
              "offset": 14,
              "removed": "",
              "inserted": " || c"
            }
          ]
        },
        {
          "id": "second",
          "edit": "1",
          "splices": [
            {
              "offset": 0,
              "removed": "",
              "inserted": "/* é */ "
            }
          ]
        }
      ]
    }
  ]
}
"#
    .replace("ORIGINAL", &sha256(b"if (a) { b(); }\n"))
    .replace(
        "WRITTEN",
        &sha256("/* é */ if (a || c) { b(); }\n".as_bytes()),
    );
    assert_eq!(String::from_utf8(receipt.to_bytes()).unwrap(), expected);
}

#[test]
fn all_or_any_one_is_taken_out() {
    let (receipt, text) = two_patches();
    assert_eq!(text, "/* é */ if (a || c) { b(); }\n");
    assert_eq!(
        reverted(&receipt, &text, Which::All).unwrap(),
        "if (a) { b(); }\n"
    );
    assert_eq!(
        reverted(&receipt, &text, Which::Only(&["first", "second"])).unwrap(),
        "if (a) { b(); }\n"
    );
    assert_eq!(
        reverted(&receipt, &text, Which::Only(&["first"])).unwrap(),
        "/* é */ if (a) { b(); }\n"
    );
    assert_eq!(
        reverted(&receipt, &text, Which::Only(&["second"])).unwrap(),
        "if (a || c) { b(); }\n"
    );
}

#[test]
fn each_reason_against_it_is_its_own() {
    let (receipt, text) = two_patches();
    assert_eq!(
        plan_revert(None, Path::new(FILE), text.as_bytes(), Which::All),
        Err(NotRevertible::NoReceipt)
    );
    assert_eq!(
        plan_revert(
            Some(&receipt),
            Path::new("other.js"),
            text.as_bytes(),
            Which::All
        ),
        Err(NotRevertible::NoReceipt)
    );
    assert_eq!(
        reverted(&receipt, "edited since", Which::All),
        Err(NotRevertible::NotAsWritten {
            written: sha256(text.as_bytes()),
            found: sha256(b"edited since")
        })
    );
    assert_eq!(
        reverted(&receipt, &text, Which::Only(&["third"])),
        Err(NotRevertible::NotRecorded {
            patch: "third".into()
        })
    );

    let tampered = |tamper: &dyn Fn(&mut FileEntry)| {
        let mut receipt = receipt.clone();
        tamper(&mut receipt.files[0]);
        for which in [Which::All, Which::Only(&["first"])] {
            assert_eq!(
                reverted(&receipt, &text, which),
                Err(NotRevertible::Contradictory)
            );
        }
    };
    tampered(&|entry| entry.original = "0".repeat(64));
    tampered(&|entry| entry.edits[0].splices[0].removed = "rm -rf".into());
    tampered(&|entry| entry.edits[0].splices[0].offset = 3);
    tampered(&|entry| entry.edits[0].splices[0].offset = usize::MAX);
    tampered(&|entry| entry.edits[1].splices[0].offset = 4);
    tampered(&|entry| entry.edits[1].splices.clear());
    tampered(&|entry| entry.edits.clear());
}

#[test]
fn a_change_without_a_way_back_is_a_bug() {
    let mut change = Draft::new(None, Path::new(FILE), "p", "1.0.0", "text".to_owned()).finish();
    change.after = b"other text".to_vec();
    assert_eq!(FileEntry::after(None, &change).unwrap_err().exit_code(), 70);
    change.path = "../outside.js".into();
    change.after = change.before.clone();
    assert_eq!(FileEntry::after(None, &change).unwrap_err().exit_code(), 70);
}

#[test]
fn entries_of_files_that_are_gone_go_too() {
    let (receipt, _) = two_patches();
    assert_eq!(
        Receipt::with(Some(&receipt), &[], "0.1.0", |_| true),
        Some(receipt.clone())
    );
    assert_eq!(Receipt::with(Some(&receipt), &[], "0.1.0", |_| false), None);
    assert_eq!(
        Receipt::with(Some(&receipt), &[(FILE.to_owned(), None)], "0.1.0", |_| {
            true
        }),
        None
    );
}

#[test]
fn what_is_no_receipt_of_ours_is_said_and_left_alone() {
    let place = Place::new();
    place.package("", "ghost", "6.0.0");
    let installation = place.locate("");
    let told = || {
        let error = Receipt::read(&installation).unwrap_err();
        assert_eq!(error.exit_code(), 5);
        let words = place.shown(&error);
        assert!(words.len() < 300, "{words}");
        words
    };
    assert_eq!(Receipt::read(&installation).unwrap(), None);

    let (receipt, _) = two_patches();
    let good = String::from_utf8(receipt.to_bytes()).unwrap();
    let path = place.file(".ghostfix/receipt.json", &good);
    assert_eq!(Receipt::read(&installation).unwrap(), Some(receipt));
    for (content, words) in [
        ("{".to_owned(), "this is not JSON: EOF"),
        (
            "[]".to_owned(),
            "its schema is \"missing\", and this ghostfix knows \"ghostfix.receipt.v1\"",
        ),
        (
            good.replace("receipt.v1", "receipt.v2"),
            "its schema is \"ghostfix.receipt.v2\", and this ghostfix knows",
        ),
        (
            good.replace("\"written\"", "\"wrote\""),
            "unknown field `wrote`",
        ),
        (
            good.replace("\"offset\": 14", "\"offset\": -1"),
            "invalid value: integer `-1`",
        ),
        (
            good.replace("node_modules/p", "../../etc"),
            "\"../../etc/lib/a.js\" is not a path inside of the installation",
        ),
        (
            good.replace("node_modules/p", "/etc"),
            "\"/etc/lib/a.js\" is not a path inside of the installation",
        ),
    ] {
        std::fs::write(&path, content).unwrap();
        let told = told();
        assert!(
            told.starts_with(&format!("/.ghostfix/receipt.json: {words}")),
            "{told}"
        );
    }

    std::fs::remove_file(&path).unwrap();
    place.link(".ghostfix/receipt.json", "../package.json");
    assert_eq!(
        told(),
        "/.ghostfix/receipt.json: this is a symbolic link, not a file"
    );
    std::fs::remove_dir_all(place.at(".ghostfix")).unwrap();
    place.link(".ghostfix", "lib");
    assert_eq!(
        told(),
        "/.ghostfix: this is not a directory, so it is not ours"
    );
}
