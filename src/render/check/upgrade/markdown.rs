//! For a job summary: each kind of hazard with its reasons, and the migrations folded.

use super::{FEW, Kind, does, found, headline, kinds, level, named, not_known, notices, unique};
use crate::migrations::hazards::Level;
use crate::migrations::summary::migrations;
use crate::render::check::markdown::{code, plain};
use crate::report::check::{ToldBy, Upgrade};

/// All of it.
pub(in crate::render::check) fn in_full(upgrade: &Upgrade, page: &mut String) {
    page.push_str(&format!("### {}\n\n", plain(&headline(upgrade))));
    if let ToldBy::Database(asked) = &upgrade.told_by {
        page.push_str(&format!("{}\n\n", spans(&found(asked))));
    }
    for kind in kinds(&upgrade.plan) {
        hazard(&kind, FEW, page);
        rest(&kind, FEW, page);
    }
    for words in not_known(upgrade) {
        page.push_str(&format!("- **not known**: {}.\n", spans(words)));
    }
    if upgrade.plan.steps.is_empty() {
        page.push('\n');
        return;
    }
    page.push_str(
        "\n<details><summary>Every migration, in order</summary>\n\n| migration | transaction | what it does | hazards |\n| --- | --- | --- | --- |\n",
    );
    for summary in migrations(&upgrade.plan) {
        let ids: Vec<String> = unique(summary.hazards.iter().map(|hazard| hazard.id))
            .into_iter()
            .map(|id| format!("`{id}`"))
            .collect();
        let transaction = match summary.transactional {
            Some(true) => "yes",
            Some(false) => "no",
            None => "unknown",
        };
        page.push_str(&format!(
            "| {} | {transaction} | {} | {} |\n",
            plain(&named(&summary)),
            plain(&does(&summary)),
            ids.join(", ")
        ));
    }
    page.push_str("\n</details>\n\n");
}

/// Of one target among several: how many migrations run, and what to look out for; the other reasons are folded.
pub(in crate::render::check) fn short(upgrade: &Upgrade, page: &mut String) {
    page.push_str(&format!("### {}\n\n", plain(&headline(upgrade))));
    let kinds = kinds(&upgrade.plan);
    for kind in kinds.iter().filter(|kind| kind.level > Level::Notice) {
        hazard(kind, 1, page);
        rest(kind, 1, page);
    }
    if let Some(notices) = notices(&kinds) {
        page.push_str(&format!("- {notices}\n"));
    }
    for words in not_known(upgrade) {
        page.push_str(&format!("- **not known**: {}.\n", spans(words)));
    }
    page.push('\n');
}

/// The level, the first reasons and what to do, as one item.
fn hazard(kind: &Kind<'_>, number: usize, page: &mut String) {
    let reasons: Vec<String> = kind.told(number).collect();
    page.push_str(&format!(
        "- **{} `{}`**: {} Next: {}.\n",
        level(kind.level),
        kind.id,
        spans(&reasons.join(" ")),
        spans(kind.fix)
    ));
}

/// The reasons after the first, folded below their item.
fn rest(kind: &Kind<'_>, number: usize, page: &mut String) {
    let Some(more) = kind.more(number) else {
        return;
    };
    page.push_str(&format!("\n  <details><summary>{more}</summary>\n\n"));
    for reason in kind.rest(number) {
        page.push_str(&format!("  - {}\n", spans(&reason)));
    }
    page.push_str("\n  </details>\n\n");
}

/// Words with code spans in them, which stay code spans.
fn spans(words: &str) -> String {
    let parts: Vec<&str> = words.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return plain(words);
    }
    let spans = parts.iter().enumerate();
    spans
        .map(|(number, part)| {
            if number % 2 == 0 {
                plain(part)
            } else {
                code(part)
            }
        })
        .collect()
}
