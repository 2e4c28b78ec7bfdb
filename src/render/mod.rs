//! Shows what a command answered: the only place that knows how anything looks, and the only one that prints.
//!
//! A report becomes one text for standard output; an error becomes words on standard error and, in a form for
//! programs or a document, an object or a page on standard output too.

mod check;
mod diff;
mod github;
mod human;
mod json;
mod junit;
mod markdown;
mod page;
mod patches;
mod preflight;
mod progress;
mod sarif;
mod snippet;
mod steps;
mod stream;
mod text;
mod verdict;

use crate::error::Error;
use crate::report::Report;
use crate::settings::{Format, Output, Screen};

pub use progress::Bar;
pub use steps::Steps;
pub use stream::{diagnose, print};

/// The text of a report, for standard output.
#[must_use]
pub fn report(report: &Report, output: &Output) -> String {
    match (report, output.format) {
        (Report::Patch(report), Format::Human) => {
            human::patch_report(report, output.verbosity, output.screen)
        }
        (Report::Patch(report), Format::Json) => json::patch_report(report),
        (Report::Patch(report), Format::Github) => github::patch_report(report),
        (Report::Patch(report), Format::Sarif) => sarif::patch_report(report),
        (Report::Check(report), format) => check::report(report, format, output),
        (Report::Patch(report), Format::Junit) => junit::patch_report(report),
        (Report::Preflight(report), Format::Human) => preflight::human(report, output),
        (Report::Preflight(report), Format::Json) => preflight::json(report),
        (Report::Preflight(report), Format::Github) => preflight::github(report),
        (Report::Preflight(report), Format::Sarif) => preflight::sarif(report),
        (Report::Preflight(report), Format::Junit) => junit::preflight_report(report),
        (Report::Checks(report), Format::Human) => {
            preflight::checks(report, output.verbosity, output.screen)
        }
        (Report::Checks(report), Format::Json | Format::Github | Format::Sarif) => {
            preflight::checks_json(report)
        }
        (Report::Patches(report), Format::Human) => {
            patches::patches_report(report, output.verbosity, output.screen)
        }
        (Report::Patches(report), Format::Json) => json::patches_report(report),
        (Report::Patches(report), Format::Github) => github::patches_report(report),
        (Report::Patches(report), Format::Sarif) => sarif::patches_report(report),
        // The settings let no other command have these.
        (Report::Patches(_) | Report::Checks(_), Format::Junit)
        | (
            Report::Patch(_) | Report::Patches(_) | Report::Preflight(_) | Report::Checks(_),
            Format::Markdown | Format::Html,
        ) => String::new(),
    }
}

/// An error in the format that was asked for, for standard output; nothing in the form for people, who read it on
/// standard error. A document says it too: whoever opens it later has seen no standard error.
#[must_use]
pub fn error_object(error: &Error, format: Format) -> String {
    match format {
        Format::Human => String::new(),
        Format::Markdown => check::markdown::error(error),
        Format::Html => check::html::error(error),
        Format::Json => json::error(error),
        Format::Github => github::error(error),
        Format::Sarif => sarif::error(error),
        Format::Junit => junit::error(error),
    }
}

/// An error in words, for standard error, whatever the format.
#[must_use]
pub fn error_words(error: &Error) -> String {
    let mut page = page::Page::new(Screen::LOG);
    page.labelled(0, (page::BAD, "error:"), &error.to_string());
    page.labelled(1, (page::CALM, "next:"), error.next_step());
    page.into_text()
}

#[cfg(test)]
mod tests;
