//! Statements of real migrations' kinds, and what they change.

use super::*;

fn changes(sql: &str) -> Vec<(Option<String>, Action)> {
    match read(sql) {
        Statement::Changes(changes, _) => changes,
        other => panic!("{sql}: {other:?}"),
    }
}

fn columns(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn statements_say_which_table_they_change() {
    for (sql, table, action) in [
        (
            "UPDATE `posts` SET `type` = 'x', t.b = (SELECT 1, 2) WHERE id = 3",
            "posts",
            Action::Update(Columns {
                names: columns(&["type", "b"]),
                ..Columns::default()
            }),
        ),
        (
            "\n  INSERT INTO a.members_events (id, `member_id`) SELECT id, b FROM c",
            "members_events",
            Action::Insert(Columns {
                names: columns(&["id", "member_id"]),
                ..Columns::default()
            }),
        ),
        (
            "DELETE FROM x WHERE y NOT IN (SELECT 1)",
            "x",
            Action::Delete,
        ),
        (
            "DELETE mse FROM members_events AS mse INNER JOIN y ON 1 = 1",
            "members_events",
            Action::Delete,
        ),
        (
            "WITH old AS (SELECT 1 FROM u) UPDATE u SET a = 1",
            "u",
            Action::Update(Columns {
                names: columns(&["a"]),
                ..Columns::default()
            }),
        ),
        (
            "CREATE OR REPLACE SQL SECURITY INVOKER VIEW `v` AS SELECT 1",
            "v",
            Action::CreateView,
        ),
        ("drop view if exists `v`", "v", Action::DropView),
        ("truncate `sessions`", "sessions", Action::Truncate),
        (
            "CREATE UNIQUE INDEX i ON t (a, b(12))",
            "t",
            Action::AddUnique(columns(&["a", "b"])),
        ),
    ] {
        assert_eq!(changes(sql), [(Some(table.to_owned()), action)], "{sql}");
    }
}

#[test]
fn one_alteration_may_have_many_parts() {
    assert_eq!(
        changes(
            "ALTER TABLE t ADD INDEX i (a, b), drop foreign key `f`, rename column c to d, \
             add constraint k foreign key (`e`) references `p` (`id`) on delete set null, \
             ADD `g` varchar(10) not null default ',', ALGORITHM=INPLACE, LOCK=NONE;"
        )
        .into_iter()
        .map(|(_, action)| action)
        .collect::<Vec<_>>(),
        [
            Action::AddIndex(columns(&["a", "b"])),
            Action::DropForeignKey(columns(&["f"])),
            Action::RenameColumn("c".to_owned(), "d".to_owned()),
            Action::AddForeignKey(ForeignKey {
                column: "e".to_owned(),
                parent: "p".to_owned(),
                parent_column: "id".to_owned(),
                on_delete: Some("SET NULL".to_owned()),
            }),
            Action::AddColumn(Column {
                name: "g".to_owned(),
                kind: Some("varchar".to_owned()),
            }),
        ]
    );
}

#[test]
fn what_only_shows_at_run_time_is_not_named() {
    assert_eq!(
        changes("UPDATE \u{fffd} SET \u{fffd} = 1"),
        [(
            None,
            Action::Update(Columns {
                and_others: true,
                ..Columns::default()
            })
        )]
    );
    assert_eq!(read("SELECT * FROM x"), Statement::Reads);
    assert_eq!(read("SHOW INDEXES FROM x"), Statement::Asks);
    assert_eq!(read("CALL something()"), Statement::Unknown);
    assert_eq!(read("ALTER TABLE x DISCARD TABLESPACE"), Statement::Unknown);
    assert_eq!(read(""), Statement::Unknown);
}
