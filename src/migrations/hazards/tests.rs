//! Migrations from literals, and the hazards that are seen in them.

use super::*;
use crate::migrations::facts::{Column, Columns, ForeignKey};

fn operation(table: &str, action: Action) -> Operation {
    Operation {
        in_transaction: true,
        ..Operation::new(Some(table), action)
    }
}

fn migration(operations: Vec<Operation>) -> Migration {
    Migration {
        version: "6.1".to_owned(),
        name: "x.js".to_owned(),
        transactional: Some(true),
        irreversible: Some(false),
        operations,
        aborts: false,
        unknown: Vec::new(),
    }
}

fn ids(migrations: &[Migration]) -> Vec<Vec<&'static str>> {
    of_migrations(migrations)
        .into_iter()
        .map(|hazards| hazards.into_iter().map(|hazard| hazard.id).collect())
        .collect()
}

fn column(name: &str) -> Action {
    Action::AddColumn(Column {
        name: name.to_owned(),
        kind: None,
    })
}

fn update(names: &[&str]) -> Action {
    Action::Update(Columns {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Columns::default()
    })
}

fn key(parent: &str, on_delete: &str) -> Action {
    Action::AddForeignKey(ForeignKey {
        column: "parent_id".to_owned(),
        parent: parent.to_owned(),
        parent_column: "id".to_owned(),
        on_delete: Some(on_delete.to_owned()),
    })
}

#[test]
fn a_column_is_late_only_where_the_same_upgrade_adds_and_writes_it() {
    let add = migration(vec![operation("newsletters", column("link_color"))]);
    let write = migration(vec![operation("newsletters", update(&["link_color"]))]);
    let other = migration(vec![operation("newsletters", update(&["title"]))]);
    assert_eq!(
        ids(&[add.clone(), write.clone(), other]),
        [vec![], vec!["schema-lag"], vec![]]
    );
    assert_eq!(ids(&[write, add]), [vec![""; 0], vec![]]);
}

#[test]
fn a_new_table_is_known_with_the_columns_that_it_began_with() {
    let make = migration(vec![
        operation("revisions", Action::CreateTable),
        operation("revisions", column("id")),
    ]);
    let add = migration(vec![operation("revisions", column("count"))]);
    let first = migration(vec![operation("revisions", update(&["id"]))]);
    let later = migration(vec![operation("revisions", update(&["count"]))]);
    assert_eq!(
        ids(&[make, add, first, later]),
        [vec![], vec![], vec![], vec!["schema-lag"]]
    );
}

#[test]
fn columns_follow_their_table_when_it_is_renamed() {
    let add = migration(vec![operation("old", column("c"))]);
    let rename = migration(vec![operation(
        "old",
        Action::RenameTable("settings".to_owned()),
    )]);
    let write = migration(vec![operation("settings", update(&["c"]))]);
    assert_eq!(
        ids(&[add, rename, write]),
        [vec![], vec!["rename-table"], vec!["schema-lag"]]
    );
}

#[test]
fn only_rows_that_grow_with_the_site_are_a_backfill() {
    let insert = |selects| Operation {
        selects,
        ..operation("members", Action::Insert(Columns::default()))
    };
    let migrations = [
        operation("settings", update(&["value"])),
        operation("posts", update(&["visibility"])),
        insert(false),
        insert(true),
    ]
    .map(|operation| migration(vec![operation]));
    assert_eq!(
        ids(&migrations),
        [vec![], vec!["backfill"], vec![], vec!["backfill"]]
    );
}

#[test]
fn keys_within_a_table_and_to_tables_that_were_there() {
    let own = migration(vec![
        operation("comments", Action::CreateTable),
        operation("comments", key("comments", "CASCADE")),
    ]);
    let soft = migration(vec![operation("comments", key("comments", "SET NULL"))]);
    let there = migration(vec![operation("gifts", key("members", "CASCADE"))]);
    let new = migration(vec![operation("likes", key("comments", "CASCADE"))]);
    assert_eq!(
        ids(&[own, soft, there, new]),
        [
            vec!["foreign-key-cycle"],
            vec![],
            vec!["foreign-key-collation"],
            vec![]
        ]
    );
}
