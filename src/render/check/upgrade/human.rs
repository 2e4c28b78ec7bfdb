//! For people: what stands in the way first, then what runs, then what to look out for.

use anstyle::Style;

use super::{FEW, Kind, does, found, headline, kinds, level, named, not_known, notices};
use crate::migrations::hazards::{Hazard, Level};
use crate::migrations::plan::Step;
use crate::migrations::summary::migrations;
use crate::render::page::{BAD, CALM, FAINT, PLAIN, Page, STRONG, WARN};
use crate::render::text;
use crate::report::check::{ToldBy, Upgrade};
use crate::settings::Verbosity;

/// All of it; the reasons of a kind only with `-v`, where there are many.
pub(in crate::render::check) fn in_full(upgrade: &Upgrade, verbosity: Verbosity, page: &mut Page) {
    page.line(0, &[(STRONG, &text::clean(&headline(upgrade)))]);
    if let ToldBy::Database(asked) = &upgrade.told_by {
        page.prose(2, FAINT, &found(asked));
    }
    let number = if verbosity == Verbosity::Verbose {
        usize::MAX
    } else {
        FEW
    };
    let (errors, others): (Vec<Kind<'_>>, Vec<Kind<'_>>) = kinds(&upgrade.plan)
        .into_iter()
        .partition(|kind| kind.level == Level::Error);
    for kind in &errors {
        page.blank();
        hazard(kind, number, 0, page);
    }
    if !errors.is_empty() {
        page.blank();
    }
    for (summary, step) in migrations(&upgrade.plan).iter().zip(&upgrade.plan.steps) {
        page.line(
            2,
            &[
                (PLAIN, &text::clean(&named(summary))),
                (
                    FAINT,
                    if step.migration.transactional == Some(true) {
                        "  in a transaction"
                    } else {
                        ""
                    },
                ),
            ],
        );
        page.prose(4, FAINT, &does(summary));
        for hazard in marks(step) {
            page.line(4, &[(style(hazard.level), hazard.id)]);
        }
    }
    for kind in &others {
        page.blank();
        hazard(kind, number, 0, page);
    }
    for (number, words) in not_known(upgrade).iter().enumerate() {
        if number == 0 {
            page.blank();
        }
        page.labelled(0, (CALM, "not known:"), &format!("{words}."));
    }
}

/// Of one target among several: how many migrations run, and what to look out for, each with one reason.
pub(in crate::render::check) fn short(upgrade: &Upgrade, page: &mut Page) {
    page.line(0, &[(STRONG, &text::clean(&headline(upgrade)))]);
    let kinds = kinds(&upgrade.plan);
    for kind in kinds.iter().filter(|kind| kind.level > Level::Notice) {
        hazard(kind, 1, 2, page);
    }
    if let Some(notices) = notices(&kinds) {
        page.prose(2, FAINT, &format!("{notices}; -v tells them."));
    }
    for words in not_known(upgrade) {
        page.labelled(2, (CALM, "not known:"), &format!("{words}."));
    }
}

fn hazard(kind: &Kind<'_>, number: usize, indent: usize, page: &mut Page) {
    page.line(
        indent,
        &[
            (style(kind.level), level(kind.level)),
            (PLAIN, " "),
            (STRONG, kind.id),
        ],
    );
    for reason in kind.told(number) {
        page.prose(indent + 2, PLAIN, &reason);
    }
    if let Some(more) = kind.more(number) {
        page.prose(indent + 2, FAINT, &format!("{more}; -v tells each."));
    }
    page.labelled(indent + 2, (CALM, "next:"), &format!("{}.", kind.fix));
}

/// One hazard of each kind that a migration has.
fn marks(step: &Step) -> Vec<&Hazard> {
    let mut marks: Vec<&Hazard> = Vec::new();
    for hazard in &step.hazards {
        if !marks.iter().any(|known| known.id == hazard.id) {
            marks.push(hazard);
        }
    }
    marks
}

fn style(level: Level) -> Style {
    match level {
        Level::Error => BAD,
        Level::Warning => WARN,
        Level::Notice => CALM,
    }
}
