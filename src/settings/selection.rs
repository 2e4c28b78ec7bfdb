//! Which patches are meant by `--profile`, `--only`, `--with` and `--without` together.

use super::{Known, Problems};
use crate::args;
use crate::catalogue::definition::Profile;

const LIST: &str = "`ghostfix patches list` shows the ids";

/// The selected ids, in the catalogue's order.
pub(super) fn select(
    selection: &args::Selection,
    known: Known<'_>,
    problems: &mut Problems,
) -> Vec<String> {
    let args::Selection {
        profile,
        only,
        with,
        without,
    } = selection;
    for (ids, flag) in [
        (only, "--only "),
        (with, "--with "),
        (without, "--without "),
    ] {
        for id in ids {
            check_id(id, flag, known, problems);
        }
    }
    if !only.is_empty() {
        for (ids, flag) in [(with, "--with"), (without, "--without")] {
            if !ids.is_empty() {
                problems.add(
                    format!(
                        "--only and {flag} contradict each other: --only already says exactly which"
                    ),
                    "choose by --only alone, or by --profile, --with and --without",
                );
            }
        }
    }
    for id in with.iter().filter(|id| without.contains(id)) {
        problems.add(
            format!("--with {id} and --without {id} contradict each other"),
            "give one of them",
        );
    }

    let profile = profile.unwrap_or(Profile::Planetscale);
    let is_selected = |id: &str, profiles: &[Profile]| {
        let named = |ids: &[String]| ids.iter().any(|other| other == id);
        if only.is_empty() {
            (profiles.contains(&profile) || named(with)) && !named(without)
        } else {
            named(only)
        }
    };
    let selected: Vec<String> = known
        .iter()
        .filter(|(id, profiles)| is_selected(id, profiles))
        .map(|(id, _)| (*id).to_owned())
        .collect();
    if selected.is_empty() && problems.found.is_empty() {
        problems.add(
            format!(
                "no patch is left: --without takes out all of profile {}",
                profile.word()
            ),
            "leave one of them in",
        );
    }
    selected
}

/// All patches or those named: what was put in under one profile is taken out under any.
pub(super) fn select_for_revert(
    only: &[String],
    known: Known<'_>,
    problems: &mut Problems,
) -> Vec<String> {
    for id in only {
        check_id(id, "--only ", known, problems);
    }
    known
        .iter()
        .filter(|(id, _)| only.is_empty() || only.iter().any(|other| other == id))
        .map(|(id, _)| (*id).to_owned())
        .collect()
}

/// Whether the catalogue has the id; `flag` is what stood before it.
pub(super) fn check_id(id: &str, flag: &str, known: Known<'_>, problems: &mut Problems) {
    let ids: Vec<&str> = known.iter().map(|(id, _)| *id).collect();
    if ids.contains(&id) {
        return;
    }
    let problem = format!("{flag}{id}: no patch has this id");
    match similar::get_close_matches(id, &ids, 1, 0.6).first() {
        Some(near) => problems.add(format!("{problem} (did you mean {near}?)"), LIST),
        None => problems.add(problem, LIST),
    }
}
