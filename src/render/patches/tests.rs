use super::*;
use crate::catalogue::definition::Profile;
use crate::render::tests::{TERMINAL, assert_snapshot, without_colour};

const PAGE: &str = "\
# What breaks

On first boot `knex-migrator` runs `CREATE DATABASE`, and **PlanetScale** answers an errno that it does not
forgive. Ghost ends with:

```text
CREATE DATABASE `ghost` CHARACTER SET utf8mb4; - VT06001: cannot create database 'ghost'; database exists
```

## What changes

1. The comparison with 1007 gets a second operand.
2. Everything else is thrown on as before:
   - 1105 with another message,
   - 1044, whatever it says.

<!-- not for readers -->
See [the known script](https://example.org/script) or <https://example.org>.

> Not for a database that Ghost has to *make* itself.

---

The end.
";

fn description(id: &str, profiles: &[Profile]) -> PatchDescription {
    PatchDescription {
        id: id.to_owned(),
        title: "Take PlanetScale's answer to CREATE DATABASE for what it is, and say so in a title that is long".to_owned(),
        package: "knex-migrator".to_owned(),
        files: vec!["lib/database.js".to_owned()],
        profiles: profiles.to_vec(),
        shapes: vec!["try-catch".to_owned(), "promise-catch".to_owned()],
    }
}

/// A list and a page.
pub(in crate::render) fn reports() -> [PatchesReport; 2] {
    let first = description("database-exists", &Profile::ALL);
    let second = PatchDescription {
        files: vec!["core/new.js".to_owned(), "core/old.js".to_owned()],
        package: "ghost".to_owned(),
        ..description("comments-parent", &[Profile::Planetscale, Profile::Vitess])
    };
    [
        PatchesReport::List(vec![first.clone(), second]),
        PatchesReport::Page {
            patch: first,
            page: PAGE.to_owned(),
        },
    ]
}

#[test]
fn the_list_and_the_page_on_a_terminal_and_in_a_log() {
    for (report, name) in reports().iter().zip(["list", "show"]) {
        let shown = patches_report(report, Verbosity::Normal, TERMINAL);
        assert_snapshot(
            &format!("patches/{name}-terminal.txt"),
            &shown.replace('\u{1b}', "␛"),
        );
        let shown = patches_report(report, Verbosity::Normal, Screen::LOG);
        assert_snapshot(&format!("patches/{name}-log.txt"), &without_colour(&shown));
    }
}

#[test]
fn a_quiet_list_is_the_ids() {
    let [list, _] = reports();
    assert_eq!(
        patches_report(&list, Verbosity::Quiet, Screen::LOG),
        "database-exists\ncomments-parent\n"
    );
}
