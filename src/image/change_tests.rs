use super::*;
use proptest::prelude::*;

fn edit(patch: &str, splices: &[(usize, &str, &str)]) -> Edit {
    let splices = splices
        .iter()
        .map(|(offset, removed, inserted)| Splice {
            offset: *offset,
            removed: (*removed).to_owned(),
            inserted: (*inserted).to_owned(),
        })
        .collect();
    Edit {
        patch: patch.to_owned(),
        revision: "1".to_owned(),
        splices,
    }
}

/// A text and up to `count` edits, each made for the text that the one before it leaves.
fn edits_in_turn(count: usize) -> impl Strategy<Value = (String, Vec<Edit>)> {
    let text = "[a-dé\n]{0,24}";
    let places = proptest::collection::vec((0usize..40, 0usize..4, "[x-zü]{0,3}"), 1..4);
    (text, proptest::collection::vec(places, 1..=count)).prop_map(|(text, wishes)| {
        let mut edits = Vec::new();
        let mut current = text.clone();
        for (index, places) in wishes.into_iter().enumerate() {
            let mut made = Edit {
                patch: format!("p{index}"),
                revision: "1".into(),
                splices: Vec::new(),
            };
            for (at, length, inserted) in places {
                let starts: Vec<usize> = current
                    .char_indices()
                    .map(|(at, _)| at)
                    .chain([current.len()])
                    .collect();
                let from = at % starts.len();
                let to = (from + length).min(starts.len() - 1);
                made.splices.push(Splice {
                    offset: starts[from],
                    removed: current[starts[from]..starts[to]].to_owned(),
                    inserted,
                });
            }
            if let Ok(after) = apply(&current, &made) {
                current = after;
                edits.push(made);
            }
        }
        (text, edits)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn inverting_gives_the_text_before((text, edits) in edits_in_turn(1)) {
        for edit in &edits {
            let after = apply(&text, edit).unwrap();
            prop_assert_eq!(apply(&after, &invert(edit)).unwrap(), text.clone());
        }
    }

    #[test]
    fn edits_come_out_in_any_order((text, edits) in edits_in_turn(4), order in any::<[u8; 4]>()) {
        let mut current = text.clone();
        let mut placed = Vec::new();
        for edit in &edits {
            let before = placed.clone();
            let Ok(after) = add(&current, &mut placed, edit) else {
                prop_assert_eq!(&placed, &before);
                break;
            };
            current = after;
        }
        let with_all = (current.clone(), placed.clone());

        // One by one, in a random order; where that is refused nothing has moved, and all at once still works.
        let mut left: Vec<String> = placed.iter().map(|edit| edit.patch.clone()).collect();
        left.sort_by_key(|id| order[id[1..].parse::<usize>().unwrap()]);
        for id in &left {
            if let Ok(after) = take_out(&current, &mut placed, &[id]) {
                current = after;
            }
        }
        let rest: Vec<String> = placed.iter().map(|edit| edit.patch.clone()).collect();
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        current = take_out(&current, &mut placed, &rest).unwrap();
        prop_assert_eq!(&current, &text);
        prop_assert!(placed.is_empty());

        let (current, mut placed) = with_all;
        let all: Vec<&str> = left.iter().map(String::as_str).collect();
        prop_assert_eq!(take_out(&current, &mut placed, &all).unwrap(), text);
    }

    #[test]
    fn the_one_that_stays_is_where_it_would_be_alone(
        (text, edits) in edits_in_turn(2),
    ) {
        let [first, second] = &edits[..] else { return Ok(()) };
        let mut placed = Vec::new();
        let one = add(&text, &mut placed, first).unwrap();
        let Ok(both) = add(&one, &mut placed, second) else { return Ok(()) };
        // The second goes: the text is what the first one alone made.
        let mut without_second = placed.clone();
        prop_assert_eq!(&take_out(&both, &mut without_second, &["p1"]).unwrap(), &one);
        // The first goes: everything the second inserted is still there, at the offsets that are recorded for it.
        let mut without_first = placed;
        let rest = take_out(&both, &mut without_first, &["p0"]).unwrap();
        for splice in &without_first[0].splices {
            prop_assert_eq!(&rest[splice.offset..splice.offset + splice.inserted.len()], splice.inserted.as_str());
        }
        prop_assert_eq!(take_out(&rest, &mut without_first, &["p1"]).unwrap(), text);
    }
}

#[test]
fn offsets_of_earlier_edits_move_along() {
    let mut placed = Vec::new();
    let one = add("if (a) {}", &mut placed, &edit("late", &[(5, "", " || b")])).unwrap();
    let two = add(&one, &mut placed, &edit("early", &[(0, "if", "while")])).unwrap();
    assert_eq!(two, "while (a || b) {}");
    assert_eq!(placed[0].splices[0].offset, 8);
    assert_eq!(
        take_out(&two, &mut placed, &["early"]).unwrap(),
        "if (a || b) {}"
    );
    assert_eq!(placed[0].splices[0].offset, 5);
    assert_eq!(
        take_out("if (a || b) {}", &mut placed, &["late"]).unwrap(),
        "if (a) {}"
    );
}

#[test]
fn wrapping_is_two_splices_of_one_edit() {
    let wrap = edit("wrap", &[(4, "", "f("), (8, "", ")")]);
    assert_eq!(apply("x = open;", &wrap).unwrap(), "x = f(open);");
    assert_eq!(apply("x = f(open);", &invert(&wrap)).unwrap(), "x = open;");
}

#[test]
fn what_could_not_be_taken_out_alone_is_refused() {
    let text = "abcdef";
    let mut placed = Vec::new();
    let one = add(text, &mut placed, &edit("one", &[(2, "cd", "XYZ")])).unwrap();
    let before = placed.clone();
    for (what, splices) in [
        ("inside", vec![(3, "", "!")]),
        ("over the end", vec![(4, "Ze", "!")]),
        ("over the whole", vec![(1, "bXYZe", "!")]),
        ("the same place", vec![(2, "XYZ", "!")]),
    ] {
        let refused = add(&one, &mut placed, &edit("two", &splices));
        assert!(
            matches!(refused, Err(EditError::Overlap { .. })),
            "{what}: {refused:?}"
        );
        assert_eq!(placed, before, "{what}");
    }
    // Beside it is fine, on either side.
    assert_eq!(
        add(
            &one,
            &mut placed,
            &edit("two", &[(2, "", "<"), (5, "", ">")])
        )
        .unwrap(),
        "ab<XYZ>ef"
    );
}

#[test]
fn two_deletions_at_one_point_are_refused() {
    let mut placed = Vec::new();
    let one = add("abcdef", &mut placed, &edit("one", &[(2, "c", "")])).unwrap();
    let refused = add(&one, &mut placed, &edit("two", &[(2, "d", "")]));
    assert_eq!(
        refused,
        Err(EditError::Overlap {
            first: "one".into(),
            second: "two".into(),
            offset: 2
        })
    );
    let refused = add(&one, &mut placed, &edit("two", &[(1, "b", "")]));
    assert!(
        matches!(refused, Err(EditError::Overlap { .. })),
        "{refused:?}"
    );
}

#[test]
fn other_text_is_refused_and_never_panics() {
    for splices in [
        vec![(1, "", "x")],  // in the middle of a character
        vec![(0, "e", "x")], // other words
        vec![(99, "", "x")], // after the end
        vec![(usize::MAX, "é", "x")],
    ] {
        let refused = apply("é", &edit("p", &splices));
        assert!(
            matches!(refused, Err(EditError::OtherText { .. })),
            "{splices:?}: {refused:?}"
        );
    }
}

#[test]
fn a_patch_is_there_once() {
    let mut placed = Vec::new();
    let one = add("ab", &mut placed, &edit("p", &[(1, "", "-")])).unwrap();
    assert_eq!(
        add(&one, &mut placed, &edit("p", &[(0, "", "-")])),
        Err(EditError::Twice { patch: "p".into() })
    );
    assert_eq!(
        take_out(&one, &mut placed, &["q"]),
        Err(EditError::NotThere { patch: "q".into() })
    );
}
