//! What `check` found out, in every form.

mod github;
mod groups;
pub(super) mod html;
mod human;
mod json;
pub(super) mod markdown;
mod sarif;
mod summary;
mod upgrade;

use std::time::SystemTime;

use crate::report::CheckReport;
use crate::settings::{Format, Output};

/// The text of a report.
pub(super) fn report(report: &CheckReport, format: Format, output: &Output) -> String {
    match format {
        Format::Human => human::report(report, output.verbosity, output.screen),
        Format::Json => json::report(report),
        Format::Github => github::report(report),
        Format::Sarif => sarif::report(report),
        Format::Markdown => markdown::report(report),
        Format::Html => html::report(report, SystemTime::now()),
        // The settings do not let this one through.
        Format::Junit => String::new(),
    }
}

#[cfg(test)]
mod tests;
