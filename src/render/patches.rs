//! `patches list` and `patches show` for people.

use super::page::{CALM, FAINT, PLAIN, Page, STRONG};
use super::{markdown, text};
use crate::report::{PatchDescription, PatchesReport};
use crate::settings::{Screen, Verbosity};

pub(super) fn patches_report(
    report: &PatchesReport,
    verbosity: Verbosity,
    screen: Screen,
) -> String {
    let mut page = Page::new(screen);
    match report {
        PatchesReport::List(patches) if verbosity == Verbosity::Quiet => {
            for patch in patches {
                page.line(0, &[(PLAIN, &text::clean(&patch.id))]);
            }
        }
        PatchesReport::List(patches) => {
            for patch in patches {
                page.line(0, &[(STRONG, &text::clean(&patch.id))]);
                page.prose(2, PLAIN, &patch.title);
                facts(patch, &mut page);
                page.blank();
            }
            page.line(
                0,
                &[
                    (CALM, "next:"),
                    (PLAIN, " ghostfix patches show ID explains one"),
                ],
            );
        }
        PatchesReport::Page {
            patch,
            page: markdown,
        } => {
            markdown::show(markdown, &mut page);
            page.blank();
            facts(patch, &mut page);
        }
    }
    page.into_text()
}

/// What a page or a list has in common for each patch.
fn facts(patch: &PatchDescription, page: &mut Page) {
    let profiles: Vec<&str> = patch
        .profiles
        .iter()
        .map(|profile| profile.word())
        .collect();
    page.labelled(
        2,
        (FAINT, "changes "),
        &format!("{} of {}", patch.files.join(" or "), patch.package),
    );
    page.labelled(2, (FAINT, "profiles"), &profiles.join(", "));
    page.labelled(2, (FAINT, "shapes  "), &patch.shapes.join(", "));
}

#[cfg(test)]
pub(super) mod tests;
