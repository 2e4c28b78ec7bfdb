//! Every form of whole reports, as snapshots from literals; `SNAPSHOTS=overwrite` writes them anew.

use std::time::SystemTime;

use serde_json::Value;

use super::*;
use crate::catalogue::definition::Profile;
use crate::error::Error;
use crate::ghost::release::ResolvedVia;
use crate::migrations::database::{self, Collations, Database, Holds, Lock, Row};
use crate::migrations::facts::{Action, Column, Columns, ForeignKey, Migration, Operation, When};
use crate::migrations::hazards;
use crate::migrations::inventory::{Folder, Inventory};
use crate::migrations::plan::{Brings, Plan, Step};
use crate::render::error_object;
use crate::render::json::tests::assert_valid;
use crate::render::tests::fixtures::{hostile_report, report_for};
use crate::render::tests::{TERMINAL, assert_snapshot, output, without_colour};
use crate::render::text;
use crate::report::check::{
    Asked, Comparison, Dependency, Scope, TargetReport, ToldBy, Upgrade, Verdict, VerdictChange,
};
use crate::report::{Outcome, PatchDescription, State};
use crate::settings::{Screen, Verbosity};

const FORMATS: [(Format, &str); 6] = [
    (Format::Human, "log.txt"),
    (Format::Json, "report.json"),
    (Format::Github, "github.txt"),
    (Format::Sarif, "report.sarif"),
    (Format::Markdown, "report.md"),
    (Format::Html, "report.html"),
];

fn dependency(package: &str, version: &str) -> Dependency {
    Dependency {
        package: package.to_owned(),
        version: version.to_owned(),
        settled_by: "pnpm-lock.yaml".to_owned(),
    }
}

fn target(version: &str, state: State) -> TargetReport {
    let mut patches = report_for(state).patches;
    patches.truncate(1);
    let verdict = Verdict::of(&patches, true);
    TargetReport {
        target: version.to_owned(),
        resolved_via: ResolvedVia::Npm,
        image: None,
        ghost: Some(version.to_owned()),
        node: Some("^20.11.1 || ^22.13.1".to_owned()),
        knex_migrator: Some(dependency("knex-migrator", "6.2.1")),
        mysql2: Some(dependency("mysql2", "3.24.4")),
        mysql: None,
        verdict,
        reason: "Why it is so.".to_owned(),
        next_step: (verdict == Verdict::Refused).then(|| "stay where you are".to_owned()),
        patches,
        upgrade: None,
        notes: Vec::new(),
    }
}

fn unknown(name: &str) -> TargetReport {
    TargetReport {
        resolved_via: ResolvedVia::Image,
        ghost: None,
        node: None,
        knex_migrator: None,
        mysql2: None,
        verdict: Verdict::Unknown,
        reason: "the registry could not be reached".to_owned(),
        next_step: Some("try again".to_owned()),
        patches: Vec::new(),
        ..target(name, State::Drifted)
    }
}

fn ancient() -> TargetReport {
    TargetReport {
        node: Some("~0.10.0 || ^4.2.0".to_owned()),
        knex_migrator: None,
        mysql2: None,
        mysql: Some(dependency("mysql", "2.1.1")),
        verdict: Verdict::NotApplicable,
        patches: Vec::new(),
        ..target("0.11.14", State::NotNeeded)
    }
}

fn check(scope: Scope, targets: Vec<TargetReport>) -> CheckReport {
    CheckReport {
        scope,
        selected: vec![PatchDescription {
            id: "database-exists".to_owned(),
            title: "Take an existing database for one".to_owned(),
            package: "knex-migrator".to_owned(),
            files: vec!["lib/database.js".to_owned()],
            profiles: vec![Profile::Planetscale],
            shapes: vec!["try-catch".to_owned()],
        }],
        targets,
        comparison: None,
        notes: Vec::new(),
    }
}

fn single(target: TargetReport) -> CheckReport {
    check(Scope::Named, vec![target])
}

fn image() -> TargetReport {
    TargetReport {
        target: "docker://registry.test/blog:next".to_owned(),
        resolved_via: ResolvedVia::Image,
        image: Some("sha256:0123".to_owned()),
        notes: vec!["a note about it".to_owned()],
        ..target("6.65.0", State::AlreadyApplied)
    }
}

fn upgrade() -> TargetReport {
    let operation = |table: &str, action| Operation {
        table: Some(table.to_owned()),
        action,
        when: When::UnlessDone,
        repeated: false,
        narrowed: false,
        selects: false,
        in_transaction: false,
        failure_ignored: false,
    };
    let column = |name: &str| {
        Action::AddColumn(Column {
            name: name.to_owned(),
            kind: Some("string".to_owned()),
        })
    };
    let key = ForeignKey {
        column: "member_id".to_owned(),
        parent: "members".to_owned(),
        parent_column: "id".to_owned(),
        on_delete: Some("CASCADE".to_owned()),
    };
    let migration = |version: &str, name: &str, operations| Migration {
        version: version.to_owned(),
        name: name.to_owned(),
        transactional: Some(false),
        irreversible: Some(false),
        operations,
        aborts: false,
        unknown: Vec::new(),
    };
    let mut written = migration(
        "6.2",
        "03-write.js",
        vec![Operation {
            when: When::Depends,
            repeated: true,
            in_transaction: true,
            ..operation(
                "posts",
                Action::Update(Columns {
                    names: vec!["one".to_owned()],
                    ..Columns::default()
                }),
            )
        }],
    );
    written.transactional = Some(true);
    let mut dark = migration("6.3", "05-dark.js", Vec::new());
    dark.transactional = None;
    dark.unknown = vec!["models.Post.findAll (core/server/models)".to_owned()];
    let migrations = vec![
        migration(
            "6.1",
            "01-columns.js",
            vec![
                operation("posts", column("one")),
                operation("posts", column("two")),
            ],
        ),
        migration(
            "6.2",
            "02-table.js",
            vec![
                operation("gifts", Action::CreateTable),
                operation("gifts", column("id")),
                operation("gifts", Action::AddForeignKey(key)),
            ],
        ),
        written,
        migration(
            "6.2",
            "04-rename.js",
            vec![operation(
                "gifts",
                Action::RenameTable("presents".to_owned()),
            )],
        ),
        dark,
        migration("6.4", "06-nothing.js", Vec::new()),
    ];
    let brings = |ghost: &str, node: &str, migrator: &str| Brings {
        ghost: ghost.parse().unwrap(),
        node: Some(node.to_owned()),
        knex_migrator: migrator.parse().ok(),
        mysql2: "3.24.4".parse().ok(),
        mysql: None,
    };
    let from = brings("5.75.1", "^18.12.1", "5.1.5");
    let to = brings("6.65.0", "^22.13.1", "6.2.1");
    let hazards = hazards::of_upgrade(Some(&from), &to, &migrations);
    let judged = hazards::of_migrations(&migrations);
    let steps = migrations.into_iter().zip(judged);
    TargetReport {
        upgrade: Some(Upgrade {
            from: "5.75.1".to_owned(),
            told_by: ToldBy::Ghost(ResolvedVia::Npm),
            plan: Plan {
                from: Some(from),
                to,
                steps: steps
                    .map(|(migration, hazards)| Step { migration, hazards })
                    .collect(),
                hazards,
            },
        }),
        ..target("6.65.0", State::WouldApply)
    }
}

/// The same upgrade, stopped after its first migration, as the database tells it.
fn stopped() -> TargetReport {
    let mut report = upgrade();
    let Some(upgrade) = &mut report.upgrade else {
        panic!("no upgrade")
    };
    let folders = upgrade.plan.steps.iter().map(|step| Folder {
        version: step.migration.version.clone(),
        files: vec![step.migration.name.clone()],
    });
    let inventory = Inventory {
        init: vec!["1-create-tables.js".to_owned()],
        // Two migrations are of one version: the second is left out here.
        folders: folders
            .filter(|folder| !folder.files[0].starts_with("03"))
            .collect(),
    };
    let row = |version: &str, name: &str, by: &str| Row {
        version: version.to_owned(),
        name: name.to_owned(),
        by: Some(by.to_owned()),
    };
    let outlook = database::judge(
        &Database {
            rows: vec![
                row("init", "1-create-tables.js", "5.75"),
                row("4.9", "00-long-gone.js", "5.75"),
                row("6.1", "01-columns.js", "6.65"),
            ],
            lock: Lock::Held {
                since: Some("2026-11-21 10:25:00".to_owned()),
            },
            holds: Holds::Ghost,
            collations: Collations::Unknown,
        },
        &inventory,
        &upgrade.plan.to.ghost,
    );
    upgrade.from = "database".to_owned();
    upgrade.plan.from = None;
    upgrade.plan.steps.remove(0);
    upgrade.plan.hazards.clone_from(&outlook.hazards);
    upgrade.told_by = ToldBy::Database(Box::new(Asked {
        address: "db.example:3306/ghost".to_owned(),
        outlook,
    }));
    report
}

/// The way back, which there is not.
fn back() -> TargetReport {
    let mut report = target("5.75.1", State::WouldApply);
    let Some(Upgrade { plan, .. }) = upgrade().upgrade else {
        panic!("no upgrade")
    };
    let (Some(to), from) = (plan.from, plan.to) else {
        panic!("no beginning")
    };
    report.upgrade = Some(Upgrade {
        from: "6.65.0".to_owned(),
        told_by: ToldBy::Ghost(ResolvedVia::Npm),
        plan: Plan {
            hazards: hazards::of_upgrade(Some(&from), &to, &[]),
            from: Some(from),
            to,
            steps: Vec::new(),
        },
    });
    report
}

/// An upgrade with five columns that are renamed: more reasons of one kind than are told at first.
fn renames() -> TargetReport {
    let mut report = upgrade();
    let Some(Upgrade { plan, .. }) = &mut report.upgrade else {
        panic!("no upgrade")
    };
    let migrations: Vec<Migration> = (1..=5)
        .map(|number| Migration {
            version: "6.1".to_owned(),
            name: format!("0{number}-rename.js"),
            transactional: Some(true),
            irreversible: Some(false),
            operations: vec![Operation::new(
                Some("posts"),
                Action::RenameColumn(format!("old_{number}"), format!("new_{number}")),
            )],
            aborts: false,
            unknown: Vec::new(),
        })
        .collect();
    let judged = hazards::of_migrations(&migrations);
    let steps = migrations.into_iter().zip(judged);
    plan.steps = steps
        .map(|(migration, hazards)| Step { migration, hazards })
        .collect();
    report
}

fn matrix() -> CheckReport {
    check(
        Scope::All,
        vec![
            ancient(),
            target("5.0.0", State::NotNeeded),
            target("6.0.0", State::WouldApply),
            target("6.1.0", State::WouldApply),
            target("6.65.0", State::FixedUpstream),
            target("6.66.0", State::Drifted),
        ],
    )
}

fn compared() -> CheckReport {
    let mut report = check(
        Scope::Named,
        vec![
            target("latest", State::Drifted),
            target("next", State::WouldApply),
            unknown("docker://registry.test/ghost:6"),
        ],
    );
    report.targets[0].ghost = Some("6.66.0".to_owned());
    report
        .notes
        .push("one damaged entry of the cache was dropped".to_owned());
    report.comparison = Some(Comparison {
        baseline: "ghostfix.json".to_owned(),
        changes: vec![VerdictChange {
            target: "latest".to_owned(),
            before: (Verdict::Ok, Some("6.65.0".to_owned())),
            after: Verdict::Refused,
        }],
        added: vec!["next".to_owned()],
    });
    report
}

fn reports() -> [(&'static str, CheckReport); 9] {
    [
        (
            "upgrades",
            check(Scope::Named, vec![upgrade(), back(), renames()]),
        ),
        ("ok", single(target("6.65.0", State::WouldApply))),
        ("refused", single(target("6.66.0", State::Drifted))),
        ("not-applicable", single(ancient())),
        ("image", single(image())),
        ("upgrade", single(upgrade())),
        ("database", single(stopped())),
        ("matrix", matrix()),
        ("compared", compared()),
    ]
}

#[test]
fn every_form_of_every_kind_of_report() {
    for (name, found) in reports() {
        for (format, file) in FORMATS {
            let shown = report(&found, format, &output(format, Screen::LOG));
            let shown = without_colour(&shown)
                .replace(
                    concat!("ghostfix ", env!("CARGO_PKG_VERSION")),
                    "ghostfix VERSION",
                )
                .replace(
                    concat!("</code> ", env!("CARGO_PKG_VERSION"), ":"),
                    "</code> VERSION:",
                );
            // The page's own style and script are in the sources already.
            let shown = match format {
                Format::Html => shown
                    .replace(include_str!("page.css"), "STYLE\n")
                    .replace(include_str!("page.js"), "SCRIPT\n"),
                _ => shown,
            };
            let shown = match (shown.find("<time>"), shown.find("</time>")) {
                (Some(begin), Some(end)) => {
                    format!("{}<time>NOW{}", &shown[..begin], &shown[end..])
                }
                _ => shown,
            };
            assert_snapshot(&format!("check/{name}/{file}"), &shown);
        }
    }
}

#[test]
fn for_people_a_target_is_a_line_and_quiet_is_one_line() {
    for (name, found) in reports() {
        let output = output(Format::Human, TERMINAL);
        for line in without_colour(&report(&found, Format::Human, &output)).lines() {
            let is_path = line.contains("at node_modules/") || line.contains("▸ node_modules/");
            assert!(is_path || text::width(line) <= 80, "{name}: {line}");
        }
        let quiet = Output {
            verbosity: Verbosity::Quiet,
            ..output
        };
        let shown = report(&found, Format::Human, &quiet);
        assert_eq!(shown.lines().count(), 1, "{shown}");
        assert!(shown.contains("\u{1b}["), "the verdict has a colour");
    }
}

/// The reasons of a kind that are told in a form, by their numbers.
fn told(found: &CheckReport, format: Format, verbosity: Verbosity) -> Vec<usize> {
    let output = Output {
        verbosity,
        ..output(format, TERMINAL)
    };
    let shown = without_colour_in(format, &report(found, format, &output));
    let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    (1..=5)
        .filter(|number| match format {
            Format::Html => words.contains(&format!("<code>old_{number}</code> becomes")),
            _ => words.contains(&format!("`old_{number}` becomes")),
        })
        .collect()
}

#[test]
fn every_reason_of_a_hazard_can_be_had() {
    let (one, several) = (
        single(renames()),
        check(Scope::Named, vec![renames(), back()]),
    );
    let all = vec![1, 2, 3, 4, 5];
    let (normal, verbose) = (Verbosity::Normal, Verbosity::Verbose);
    assert_eq!(told(&one, Format::Human, normal), [1, 2, 3]);
    assert_eq!(told(&several, Format::Human, normal), [1]);
    for found in [&one, &several] {
        assert_eq!(told(found, Format::Human, verbose), all);
        // There the others are folded.
        assert_eq!(told(found, Format::Markdown, normal), all);
        assert_eq!(told(found, Format::Html, normal), all);
    }
}

/// Nobody reads on to the end of a hundred migrations for the only thing that matters.
#[test]
fn an_upgrade_that_cannot_be_says_so_first_among_many_and_with_few_words() {
    let mut newer = renames();
    let Some(upgrade) = &mut newer.upgrade else {
        panic!("no upgrade")
    };
    let other = back().upgrade.expect("it has one").plan.hazards;
    upgrade.plan.hazards.extend(other);
    for (format, first, then) in [
        (Format::Human, "error newer-database", "6.1/01-rename.js"),
        (Format::Markdown, "**error `newer-database`**", "**warning"),
        (
            Format::Html,
            "<code>newer-database</code>",
            "warning</strong>",
        ),
    ] {
        let output = output(format, Screen::LOG);
        let found = single(newer.clone());
        let shown = without_colour_in(format, &report(&found, format, &output));
        let at = |words: &str| shown.find(words).expect(words);
        assert!(at(first) < at(then), "{shown}");
    }
    let quiet = Output {
        verbosity: Verbosity::Quiet,
        ..output(Format::Human, Screen::LOG)
    };
    for (found, expected) in [
        (
            single(back()),
            "Ghost 5.75.1 can be patched: 1 would-apply. Errors in the upgrade from 6.65.0: newer-database.\n",
        ),
        (
            check(Scope::All, vec![upgrade_free(), back()]),
            "Of 2 published Ghosts: 2 ok. Errors in the upgrade from 6.65.0 to 1 of them: newer-database.\n",
        ),
    ] {
        let shown = without_colour(&report(&found, Format::Human, &quiet));
        assert_eq!(shown, expected);
    }
}

fn upgrade_free() -> TargetReport {
    target("6.65.0", State::WouldApply)
}

#[test]
fn every_report_is_as_its_schema_says() {
    for (name, found) in reports() {
        let value = assert_valid("check", &json::report(&found));
        assert_eq!(value["exit_code"], found.outcome().exit_code(), "{name}");
        assert_eq!(
            value["targets"].as_array().unwrap().len(),
            found.targets.len()
        );
    }
}

#[test]
fn the_exit_code_is_the_worst_that_was_found() {
    let outcome = |targets| check(Scope::All, targets).outcome();
    let ok = || target("6.65.0", State::WouldApply);
    let refused = || target("6.66.0", State::Drifted);
    assert_eq!(outcome(vec![ok(), ancient()]), Outcome::Yes);
    assert_eq!(outcome(vec![ok(), refused()]), Outcome::No);
    assert_eq!(outcome(vec![refused(), unknown("x")]), Outcome::Unknown);
    assert_eq!(single(ok()).outcome(), Outcome::Yes);
    assert_eq!(single(refused()).outcome(), Outcome::No);
    assert_eq!(single(ancient()).outcome(), Outcome::NothingToWorkOn);
}

#[test]
fn a_baseline_excuses_what_was_so_before_and_nothing_else() {
    let with = |now: TargetReport, before: Option<Verdict>| {
        let mut report = single(now);
        let (name, after) = (report.targets[0].target.clone(), report.targets[0].verdict);
        report.comparison = Some(Comparison {
            baseline: "b.json".to_owned(),
            changes: before
                .filter(|before| *before != after)
                .map(|before| VerdictChange {
                    target: name.clone(),
                    before: (before, None),
                    after,
                })
                .into_iter()
                .collect(),
            added: before.map_or_else(|| vec![name], |_| Vec::new()),
        });
        report.outcome()
    };
    let ok = || target("6.65.0", State::WouldApply);
    let refused = || target("6.66.0", State::Drifted);
    for (now, before, expected) in [
        (ok(), Some(Verdict::Ok), Outcome::Yes),
        (ok(), Some(Verdict::Refused), Outcome::Yes),
        (ok(), None, Outcome::Yes),
        (refused(), Some(Verdict::Refused), Outcome::Yes),
        (refused(), Some(Verdict::Ok), Outcome::No),
        (refused(), Some(Verdict::Unknown), Outcome::No),
        (refused(), Some(Verdict::NotApplicable), Outcome::No),
        (refused(), None, Outcome::No),
        (ancient(), Some(Verdict::NotApplicable), Outcome::Yes),
        (ancient(), Some(Verdict::Ok), Outcome::No),
        (unknown("x"), Some(Verdict::Unknown), Outcome::Unknown),
        (unknown("x"), Some(Verdict::Refused), Outcome::Unknown),
    ] {
        let verdict = now.verdict;
        assert_eq!(with(now, before), expected, "{before:?} -> {verdict:?}");
    }
}

/// What a package says must neither be markup, nor a command, nor move the cursor.
#[test]
fn hostile_words_do_nothing_in_any_form() {
    let mut entry = hostile_report().patches.remove(0);
    let hostile = "<script>alert(1)</script>\u{1b}[2J\n::error::x | [a](b) ```\u{202e}";
    entry.id = "database-exists".to_owned();
    let mut bad = target("6.65.0", State::Drifted);
    bad.node = Some(hostile.to_owned());
    bad.ghost = Some(hostile.to_owned());
    bad.reason = hostile.to_owned();
    bad.notes = vec![hostile.to_owned()];
    bad.patches = vec![entry];
    bad.verdict = Verdict::Refused;
    for found in [
        single(bad.clone()),
        check(Scope::All, vec![bad.clone(), bad]),
    ] {
        for (format, name) in FORMATS {
            let shown = report(&found, format, &output(format, Screen::LOG));
            let shown = without_colour_in(format, &shown);
            assert!(!shown.contains('\u{1b}'), "{name}");
            assert!(!shown.contains('\u{202e}'), "{name}");
            if matches!(format, Format::Markdown | Format::Html) {
                assert!(!shown.contains("<script>alert"), "{name}");
            }
            let own = |line: &str| format == Format::Github && line.starts_with("::");
            let obeyed = shown
                .lines()
                .find(|line| line.trim_start().starts_with("::") && !own(line));
            assert_eq!(obeyed, None, "{name}");
        }
        let sarif: Value = serde_json::from_str(&sarif::report(&found)).unwrap();
        assert_eq!(sarif["version"], "2.1.0");
    }
}

/// What prevented a report is in the document that was to be one, and is no markup there.
#[test]
fn an_error_is_said_in_a_document() {
    let error = Error::Upstream {
        problem: "ghost has no tag `<b>ltest</b>`".to_owned(),
        next_step: "look at `npm view ghost dist-tags`".to_owned(),
    };
    assert_eq!(
        error_object(&error, Format::Markdown),
        "## ❓ No answer from `ghostfix`\n\nghost has no tag `&lt;b&gt;ltest&lt;/b&gt;`\n\n\
         Next: look at `npm view ghost dist-tags`\n"
    );
    let page = error_object(&error, Format::Html);
    assert!(page.starts_with("<!doctype html>"), "{page}");
    for part in [
        "<title>No answer from ghostfix</title>",
        "&lt;b&gt;ltest&lt;/b&gt;",
        "look at <code>npm view ghost dist-tags</code>",
    ] {
        assert!(page.contains(part), "{page}");
    }
    assert_eq!(error_object(&error, Format::Human), "");
}

fn without_colour_in(format: Format, shown: &str) -> String {
    match format {
        Format::Human => without_colour(shown),
        _ => shown.to_owned(),
    }
}

#[test]
fn the_page_tells_when_and_on_what_it_was_made() {
    let made = |found: &CheckReport| {
        let page = html::report(found, SystemTime::UNIX_EPOCH);
        let (_, after) = page.split_once("on <time>").unwrap();
        after.split_once(", and proved").unwrap().0.to_owned()
    };
    assert_eq!(
        made(&matrix()),
        "1970-01-01 00:00 UTC</time>: each patch was tried in memory on the published packages"
    );
    assert!(made(&single(image())).ends_with("on the files in the image"));
    let both = vec![target("6.65.0", State::WouldApply), image(), unknown("x")];
    let both = made(&check(Scope::Named, both));
    assert!(both.ends_with("on the published packages or the files in the image"));
}

/// In whatever order they were named, and without those in between, which nobody has looked at.
#[test]
fn the_page_goes_from_version_to_version() {
    let named = ["6.65.0", "6.9.0", "6.64.0"].map(|name| target(name, State::WouldApply));
    let named = check(Scope::Named, named.to_vec());
    let page = html::report(&named, SystemTime::UNIX_EPOCH);
    let at = |words: &str| page.find(words).expect(words);
    assert!(at("Changed since 6.64.0") < at("Changed since 6.9.0"));
    assert!(page.contains("Edit 1: Ghost 6.9.0, 6.64.0, 6.65.0 "));
    let all = html::report(&matrix(), SystemTime::UNIX_EPOCH);
    assert!(all.contains("Edit 1: Ghost 6.0.0 to 6.1.0 "));
    // What the filter goes by: versions are told apart by what they are of.
    assert!(all.contains(
        "data-words=\"6.66.0 refused drifted database-exists node:20 node:22 knex-migrator:6.2.1 mysql2:3.24.4\""
    ));
}

/// Ghosts whose knex-migrator the registry does not have: each patch in it is missing for the same reason.
#[test]
fn what_is_the_same_for_several_patches_is_said_once_and_with_its_reason() {
    let mut missing = target("5.0.0", State::Missing);
    missing.reason = "it insists on knex-migrator 4.2.10, which is not there.".to_owned();
    missing.next_step = Some("look for an image".to_owned());
    missing.patches[0].next_step.clone_from(&missing.next_step);
    missing.patches.push(missing.patches[0].clone());
    let found = check(
        Scope::Named,
        vec![missing, target("6.66.0", State::Drifted)],
    );
    let shown = report(&found, Format::Human, &output(Format::Human, Screen::LOG));
    assert_eq!(
        without_colour(&shown).lines().take(8).collect::<Vec<_>>(),
        [
            "[x] 5.0.0   refused  knex-migrator 6.2.1    Node 20, 22",
            "    database-exists missing, database-exists missing",
            "    it insists on knex-migrator 4.2.10, which is not there.",
            "    next: look for an image",
            "[x] 6.66.0  refused  knex-migrator 6.2.1    Node 20, 22",
            "    database-exists drifted",
            "    Why it is so.",
            "    next: stay where you are",
        ]
    );
    let annotations = github::report(&found);
    assert_eq!(
        annotations.matches("next: look for an image").count(),
        1,
        "{annotations}"
    );
}

#[test]
fn quiet_tells_what_a_baseline_makes_of_a_refusal() {
    let with = |now: TargetReport, added: bool| {
        let mut report = single(now);
        let name = report.targets[0].target.clone();
        report.comparison = Some(Comparison {
            baseline: "b.json".to_owned(),
            changes: Vec::new(),
            added: added.then_some(name).into_iter().collect(),
        });
        let quiet = Output {
            verbosity: Verbosity::Quiet,
            ..output(Format::Human, Screen::LOG)
        };
        without_colour(&super::report(&report, Format::Human, &quiet))
    };
    let refused = || target("6.66.0", State::Drifted);
    let cannot = "Ghost 6.66.0 cannot be patched: database-exists drifted.";
    for (shown, expected) in [
        (
            with(refused(), false),
            format!("{cannot} No verdict is worse than in b.json.\n"),
        ),
        (
            with(refused(), true),
            format!("{cannot} What is refused is not in b.json.\n"),
        ),
        (
            with(unknown("x"), false),
            "x is unknown. What is unknown cannot be compared with b.json.\n".to_owned(),
        ),
    ] {
        assert_eq!(shown, expected);
    }
}

#[test]
fn a_build_stops_only_for_what_is_refused() {
    assert_eq!(
        summary::meaning(&matrix()),
        "An image build of the one that is refused stops at `ghostfix patch`, before that Ghost fails at boot."
    );
}

#[test]
fn the_page_loads_nothing_from_elsewhere() {
    for (_, found) in reports() {
        let page = html::report(&found, SystemTime::UNIX_EPOCH);
        for trace in ["src=", "url(", "@import", "http://", "https://", "<link"] {
            assert!(!page.contains(trace), "{trace}");
        }
    }
}
