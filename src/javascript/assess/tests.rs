use super::*;

#[test]
fn every_shape_becomes_its_patched_twin_and_is_recognised_again() {
    for patch in catalogue::patches() {
        for (id, example) in &patch.examples {
            let path = format!(
                "{}/patches/{}/shapes/{id}.patched.js",
                env!("CARGO_MANIFEST_DIR"),
                patch.definition.id
            );
            let fresh = assess(
                patch,
                example.as_bytes(),
                Origin::Unknown,
                &Sandbox::ThisProcess,
                Guards::default(),
            );
            assert_eq!(fresh.state, State::NotApplied, "{id}: {fresh:#?}");
            assert_eq!(fresh.shape.as_deref(), Some(*id));
            let after = fresh.change.unwrap().after;
            if std::env::var_os("GHOSTFIX_BLESS").is_some() {
                std::fs::write(&path, &after).unwrap();
            }
            let twin = std::fs::read_to_string(&path).unwrap();
            assert_eq!(after, twin, "{path}");
            let again = assess(
                patch,
                twin.as_bytes(),
                Origin::Unknown,
                &Sandbox::ThisProcess,
                Guards::default(),
            );
            assert_eq!(again.state, State::AlreadyApplied, "{id}: {again:#?}");
        }
    }
}

/// The patch with another template for its first edit.
fn with_template(id: &str, template: &str) -> Patch {
    let mut patch = catalogue::patch(id).unwrap().clone();
    let edit = &mut patch.definition.edits[0];
    edit.template = template.to_owned();
    edit.original = edit
        .original
        .take()
        .filter(|_| !template.contains("$ANCHOR"));
    patch
}

#[test]
fn a_broken_edit_fails_the_proof() {
    let broken = [
        ("database-exists", "$ANCHOR || $ERR.errno === 1105"),
        (
            "database-exists",
            "$ANCHOR || /database exists/.test($ERR.sqlMessage || $ERR.message)",
        ),
        (
            "database-exists",
            "$ANCHOR && $ERR.errno === 1105 && /database exists/.test($ERR.sqlMessage)",
        ),
        (
            "database-exists",
            "$ANCHOR || $ERR.errno === 1105 && /exists/.test($ERR.message + ' exists')",
        ),
        (
            "database-exists",
            "$ANCHOR || $ERR.errno === 1105 && /database exist$/.test($ERR.sqlMessage || $ERR.message)",
        ),
        (
            "database-exists",
            "$ANCHOR || $ERR.errno === 1105 && $ERR.sqlMessage.endsWith('database exists')",
        ),
        (
            "database-exists",
            "$ANCHOR || $ERR.errno === '1105' && /database exists/.test($ERR.sqlMessage || $ERR.message)",
        ),
        (
            "database-exists",
            "$ANCHOR || $ERR.errno !== 1105 && /database exists/.test($ERR.sqlMessage || $ERR.message)",
        ),
        (
            "database-exists",
            "$ANCHOR || $ERR.errno === 1105 || /database exists/.test($ERR.sqlMessage || $ERR.message)",
        ),
        (
            "database-exists",
            "$ANCHOR || $ERR.code === 'ER_UNKNOWN_ERROR' && /database exists|SSL/.test($ERR.sqlMessage || $ERR.message)",
        ),
        (
            "database-exists",
            "$ANCHOR || $ERR.errno === 1105 && /VT06001/.test($ERR.sqlMessage || $ERR.message)",
        ),
        (
            "database-exists",
            "$ANCHOR || error.errno === 1105 && /database exists/.test(error.sqlMessage)",
        ),
        (
            "database-exists",
            "$ANCHOR || ($ERR.errno = 1105) && /database exists/.test($ERR.sqlMessage || $ERR.message)",
        ),
        ("database-exists", "true || $ANCHOR"),
        (
            "database-exists",
            "$ERR && ($ANCHOR || $ERR.errno === 1105 && /database exists/.test($ERR.sqlMessage || $ERR.message))",
        ),
        ("lock-primary-key", "$ANCHOR || true"),
        ("lock-primary-key", "$ANCHOR || $ERR.errno === 1105"),
        (
            "lock-primary-key",
            "$ANCHOR || $KNEX.raw(`SHOW KEYS FROM ${$TABLE} WHERE Key_name = 'PRIMARY'`)",
        ),
        (
            "lock-primary-key",
            "$ANCHOR || await $KNEX.raw(`SHOW KEYS FROM ${$TABLE} WHERE Key_name = 'PRIMARY'`)",
        ),
        (
            "lock-primary-key",
            "$ANCHOR || (await $KNEX.raw(`SHOW KEYS FROM ${$TABLE} WHERE Key_name = 'PRIMARY'`))[0].length > 0",
        ),
        ("fixtures-transaction", "transaction: 0"),
        ("fixtures-transaction", "transactions: false"),
        ("fixtures-owner", "'1'"),
        ("fixtures-owner", "config.get('url')"),
        (
            "fixtures-owner",
            "require('crypto').createHash('sha256').update('ghost').digest('hex').slice(0, 24)",
        ),
        (
            "comments-parent",
            "(({ references, ...column }) => ({ ...column, index: true }))($ANCHOR)",
        ),
        (
            "comments-parent",
            "(({ references, cascadeDelete, ...column }) => column)($ANCHOR)",
        ),
        (
            "comments-parent",
            "(({ cascadeDelete, ...column }) => ({ ...column, index: true }))($ANCHOR)",
        ),
        (
            "comments-parent",
            "(({ references, cascadeDelete, maxlength, ...column }) => ({ ...column, index: true }))($ANCHOR)",
        ),
        ("schema-lag", "(0, $ANCHOR)"),
        ("schema-lag", "Object.assign($ANCHOR, {client: null})"),
        ("sessions-delete", "$KNEX('sessions').drop()"),
        ("sessions-delete", "$KNEX('users').del()"),
        ("sessions-delete", "Promise.resolve()"),
    ];
    for (id, template) in broken {
        let patch = with_template(id, template);
        let (_, example) = patch.examples[0];
        let verdict = assess(
            &patch,
            example.as_bytes(),
            Origin::Unknown,
            &Sandbox::ThisProcess,
            Guards::default(),
        );
        assert_eq!(
            verdict.state,
            State::ProofFailed,
            "{id}: {template}: {verdict:#?}"
        );
        let unguarded = Guards {
            proof: false,
            ..Guards::default()
        };
        let unproved = assess(
            &patch,
            example.as_bytes(),
            Origin::Unknown,
            &Sandbox::ThisProcess,
            unguarded,
        );
        assert_eq!(
            unproved.state,
            State::NotApplied,
            "only the proof stops it: {id}: {template}: {unproved:#?}"
        );
    }
}

#[test]
fn patches_in_one_file_are_made_in_any_order() {
    let file = catalogue::patch("database-exists").unwrap().examples[0].1;
    let file = format!(
        "{file}\nexports.connect = function connect(options) {{\n    return knex(options);\n}};\n"
    );
    let mut ends = Vec::new();
    for order in [
        ["database-exists", "schema-lag"],
        ["schema-lag", "database-exists"],
    ] {
        let mut text = file.clone();
        for id in order {
            let verdict = assess(
                catalogue::patch(id).unwrap(),
                text.as_bytes(),
                Origin::Changed,
                &Sandbox::ThisProcess,
                Guards::default(),
            );
            assert_eq!(verdict.state, State::NotApplied, "{id}: {verdict:#?}");
            text = verdict.change.unwrap().after;
        }
        for id in order {
            let verdict = assess(
                catalogue::patch(id).unwrap(),
                text.as_bytes(),
                Origin::Changed,
                &Sandbox::ThisProcess,
                Guards::default(),
            );
            assert_eq!(verdict.state, State::AlreadyApplied, "{id}: {verdict:#?}");
        }
        ends.push(text);
    }
    assert_eq!(ends[0], ends[1]);
}

#[test]
fn an_edit_of_an_earlier_release_is_brought_up_to_date() {
    let mut patch = catalogue::patch("database-exists").unwrap().clone();
    let edit = &mut patch.definition.edits[0];
    let earlier =
        "$ANCHOR || $ERR.errno === 1105 && $ERR.sqlMessage.endsWith('database exists')".to_owned();
    edit.earlier = vec![crate::catalogue::definition::EarlierEdit {
        revision: "0".to_owned(),
        template: earlier,
    }];
    for (id, example) in &patch.examples {
        let old = example.replace("err.errno === 1007", "err.errno === 1007 || err.errno === 1105 && err.sqlMessage.endsWith('database exists')");
        let verdict = assess(
            &patch,
            old.as_bytes(),
            Origin::Changed,
            &Sandbox::ThisProcess,
            Guards::default(),
        );
        assert_eq!(verdict.state, State::Outdated, "{id}: {verdict:#?}");
        let change = verdict.change.unwrap();
        assert_eq!(change.base.as_deref(), Some(*example), "{id}");
        let again = assess(
            &patch,
            change.after.as_bytes(),
            Origin::Changed,
            &Sandbox::ThisProcess,
            Guards::default(),
        );
        assert_eq!(again.state, State::AlreadyApplied, "{id}");
    }
}
