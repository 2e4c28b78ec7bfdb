//! For the page: each kind of hazard as a card, and the migrations folded.

use super::{FEW, Kind, does, found, headline, kinds, level, named, not_known, unique};
use crate::migrations::summary::migrations;
use crate::render::check::html::{escaped, with_code};
use crate::report::check::{ToldBy, Upgrade};

/// All of it.
pub(in crate::render::check) fn in_full(upgrade: &Upgrade, body: &mut String) {
    body.push_str(&format!("<h3>{}</h3>\n", escaped(&headline(upgrade))));
    if let ToldBy::Database(asked) = &upgrade.told_by {
        body.push_str(&format!("<p>{}</p>\n", with_code(&found(asked))));
    }
    body.push_str("<ul class=\"hazards\">\n");
    for kind in kinds(&upgrade.plan) {
        hazard(&kind, body);
    }
    for words in not_known(upgrade) {
        body.push_str(&format!(
            "<li class=\"hazard warning\"><strong class=\"level\">not known</strong>: {}.</li>\n",
            with_code(words)
        ));
    }
    body.push_str("</ul>\n");
    if upgrade.plan.steps.is_empty() {
        return;
    }
    body.push_str("<details><summary>Every migration, in order</summary>\n<ol>\n");
    for summary in migrations(&upgrade.plan) {
        let ids: String = unique(summary.hazards.iter().map(|hazard| hazard.id))
            .into_iter()
            .map(|id| format!(" <code>{id}</code>"))
            .collect();
        body.push_str(&format!(
            "<li><strong>{}</strong>: {}{ids}</li>\n",
            escaped(&named(&summary)),
            escaped(&does(&summary))
        ));
    }
    body.push_str("</ol>\n</details>\n");
}

/// What it is, why (the first reasons open, the others folded), and what to do.
fn hazard(kind: &Kind<'_>, body: &mut String) {
    body.push_str(&format!(
        "<li class=\"hazard {0}\"><strong class=\"level\">{0}</strong> <code>{1}</code>\n",
        level(kind.level),
        kind.id
    ));
    reasons(kind.told(FEW), body);
    if let Some(more) = kind.more(FEW) {
        body.push_str(&format!("<details><summary>{more}</summary>\n"));
        reasons(kind.rest(FEW), body);
        body.push_str("</details>\n");
    }
    body.push_str(&format!(
        "<p><strong>Next:</strong> {}.</p></li>\n",
        with_code(kind.fix)
    ));
}

fn reasons(reasons: impl Iterator<Item = String>, body: &mut String) {
    body.push_str("<ul>\n");
    for reason in reasons {
        body.push_str(&format!("<li>{}</li>\n", with_code(&reason)));
    }
    body.push_str("</ul>\n");
}
