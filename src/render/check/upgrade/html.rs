//! For the page: each kind of hazard, and the migrations folded.

use super::{does, found, headline, kinds, level, named, not_known, unique};
use crate::migrations::summary::migrations;
use crate::render::check::html::{escaped, with_code};
use crate::report::check::{ToldBy, Upgrade};

/// All of it.
pub(in crate::render::check) fn in_full(upgrade: &Upgrade, body: &mut String) {
    body.push_str(&format!("<h3>{}</h3>\n", escaped(&headline(upgrade))));
    if let ToldBy::Database(asked) = &upgrade.told_by {
        body.push_str(&format!("<p>{}</p>\n", with_code(&found(asked))));
    }
    body.push_str("<ul class=\"notes\">\n");
    for kind in kinds(&upgrade.plan) {
        body.push_str(&format!(
            "<li>{} <code>{}</code>: {}</li>\n",
            level(kind.level),
            kind.id,
            with_code(&kind.words())
        ));
    }
    for words in not_known(upgrade) {
        body.push_str(&format!("<li>not known: {}.</li>\n", with_code(words)));
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
