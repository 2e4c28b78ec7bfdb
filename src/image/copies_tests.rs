use super::*;
use crate::image::fixture::Place;

const PACKAGE: &str = "knex-migrator";

fn copies(installation: &Installation, package: &str, depth: Depth) -> Result<Copies> {
    let reached = reached(installation, &[package])?;
    with_further(installation, reached, depth).map(|mut all| all.remove(0))
}

/// The relative paths, the one that Node reaches marked with `>`.
fn listed(place: &Place, root: &str, package: &str, depth: Depth) -> Vec<String> {
    let copies = copies(&place.locate(root), package, depth).unwrap();
    assert!(copies.coverage.node_resolution && copies.coverage.package_directories);
    assert_eq!(copies.coverage.everything, depth == Depth::Everything);
    copies
        .found
        .iter()
        .map(|copy| {
            format!(
                "{}{} {}",
                if copy.reached_by_node { ">" } else { "" },
                copy.relative.display(),
                copy.version
            )
        })
        .collect()
}

fn told(place: &Place, root: &str) -> (String, u8) {
    let error = copies(&place.locate(root), PACKAGE, Depth::PackageDirectories).unwrap_err();
    (place.shown(&error), error.exit_code())
}

/// As pnpm lays it out: the package in the store directory, links to it, and `.pnpm/node_modules` full of links.
fn pnpm() -> Place {
    let place = Place::new();
    place.package("", "ghost", "6.65.0");
    let real = ".pnpm/knex-migrator@6.2.1_mysql2@3__0e3c252e/node_modules/knex-migrator";
    place.package(&format!("node_modules/{real}"), PACKAGE, "6.2.1");
    place.link("node_modules/knex-migrator", real);
    place.link(
        "node_modules/.pnpm/node_modules/knex-migrator",
        "../knex-migrator@6.2.1_mysql2@3__0e3c252e/node_modules/knex-migrator",
    );
    place.package(
        "node_modules/.pnpm/bookshelf@1.2.0/node_modules/bookshelf",
        "bookshelf",
        "1.2.0",
    );
    place.link(
        "node_modules/.pnpm/bookshelf@1.2.0/node_modules/knex-migrator",
        "../../knex-migrator@6.2.1_mysql2@3__0e3c252e/node_modules/knex-migrator",
    );
    place
}

#[test]
fn flat_nested_and_scoped() {
    let place = Place::new();
    place.package("", "ghost", "5.75.1");
    place.package("node_modules/knex-migrator", PACKAGE, "5.1.5");
    place.package("node_modules/a", "a", "1.0.0");
    place.package(
        "node_modules/a/node_modules/b/node_modules/knex-migrator",
        PACKAGE,
        "4.0.0",
    );
    place.package(
        "node_modules/@tryghost/c/node_modules/knex-migrator",
        PACKAGE,
        "3.0.0",
    );
    // Other packages' directories of that name are no packages that anybody can load.
    place.package("node_modules/a/test/knex-migrator", PACKAGE, "1.0.0");
    place.package(
        "node_modules/@other/knex-migrator",
        "@other/knex-migrator",
        "1.0.0",
    );
    place.package("node_modules/.cache/knex-migrator", PACKAGE, "1.0.0");
    let expected = [
        ">node_modules/knex-migrator 5.1.5",
        "node_modules/@tryghost/c/node_modules/knex-migrator 3.0.0",
        "node_modules/a/node_modules/b/node_modules/knex-migrator 4.0.0",
    ];
    assert_eq!(
        listed(&place, "", PACKAGE, Depth::PackageDirectories),
        expected
    );
}

#[test]
fn everything_also_finds_copies_that_lie_about() {
    let place = Place::new();
    place.package("", "ghost", "5.75.1");
    place.package("node_modules/knex-migrator", PACKAGE, "5.1.5");
    place.package(
        "content/adapters/x/node_modules/knex-migrator",
        PACKAGE,
        "4.0.0",
    );
    place.package("vendor/km", PACKAGE, "3.0.0");
    place.package("vendor/knex-migrator-tools", "knex-migrator-tools", "3.0.0");
    place.link("again", "vendor");
    assert_eq!(
        listed(&place, "", PACKAGE, Depth::PackageDirectories),
        [">node_modules/knex-migrator 5.1.5"]
    );
    assert_eq!(
        listed(&place, "", PACKAGE, Depth::Everything),
        [
            ">node_modules/knex-migrator 5.1.5",
            "content/adapters/x/node_modules/knex-migrator 4.0.0",
            "vendor/km 3.0.0"
        ]
    );
}

#[test]
fn pnpm_has_one_copy_behind_many_links() {
    let place = pnpm();
    let expected = [
        ">node_modules/.pnpm/knex-migrator@6.2.1_mysql2@3__0e3c252e/node_modules/knex-migrator 6.2.1",
    ];
    for depth in [Depth::PackageDirectories, Depth::Everything] {
        assert_eq!(listed(&place, "", PACKAGE, depth), expected);
    }
}

#[test]
fn two_paths_that_are_hard_links_to_one_file_are_two_copies() {
    let place = pnpm();
    let other =
        "node_modules/.pnpm/knex-migrator@6.2.1_mysql2@3__ffffffff/node_modules/knex-migrator";
    place.package(other, PACKAGE, "6.2.1");
    let file = place.at(other).join("lib/database.js");
    std::fs::remove_file(&file).unwrap();
    let first = "node_modules/.pnpm/knex-migrator@6.2.1_mysql2@3__0e3c252e/node_modules/knex-migrator/lib/database.js";
    std::fs::hard_link(place.at(first), &file).unwrap();
    assert_eq!(
        listed(&place, "", PACKAGE, Depth::PackageDirectories).len(),
        2
    );
}

#[test]
fn no_name_of_a_store_entry_hides_a_copy() {
    let place = pnpm();
    let entries = [
        "x_0123456789abcdef",
        "kn@1",
        "@s+p@1.0.0",
        "github.com+TryGhost+knex-migrator@abc",
        "é@1",
    ];
    for (index, entry) in entries.iter().enumerate() {
        let directory = format!("node_modules/.pnpm/{entry}/node_modules/knex-migrator");
        place.package(&directory, PACKAGE, &format!("1.0.{index}"));
    }
    // Bundled with packages whose entry tells their name, or does not.
    place.package(
        "node_modules/.pnpm/@s+p@1.0.0/node_modules/@s/p",
        "@s/p",
        "1.0.0",
    );
    place.package(
        "node_modules/.pnpm/@s+p@1.0.0/node_modules/@s/p/node_modules/knex-migrator",
        PACKAGE,
        "2.0.0",
    );
    place.package(
        "node_modules/.pnpm/file+x@1/node_modules/y/node_modules/knex-migrator",
        PACKAGE,
        "2.0.1",
    );
    place.package(
        "node_modules/.pnpm/bookshelf@1.2.0/node_modules/bookshelf/node_modules/knex-migrator",
        PACKAGE,
        "2.0.2",
    );
    place.package(
        "node_modules/.pnpm/node_modules/z/node_modules/knex-migrator",
        PACKAGE,
        "2.0.3",
    );
    let mut versions: Vec<String> = listed(&place, "", PACKAGE, Depth::PackageDirectories)
        .iter()
        .map(|line| line.rsplit(' ').next().unwrap().to_owned())
        .collect();
    versions.sort();
    assert_eq!(
        versions,
        [
            "1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.4", "2.0.0", "2.0.1", "2.0.2", "2.0.3",
            "6.2.1"
        ]
    );
}

#[test]
fn the_copy_nearest_to_ghost_is_the_one_that_node_reaches() {
    let place = Place::new();
    place.file("package.json", r#"{"name":"blog"}"#);
    place.package("node_modules/ghost", "ghost", "6.0.0");
    place.package("node_modules/knex-migrator", PACKAGE, "5.0.0");
    assert_eq!(
        listed(&place, "", PACKAGE, Depth::PackageDirectories),
        [">node_modules/knex-migrator 5.0.0"]
    );
    // A directory with nothing to load is passed over, as npm leaves them where only something nested is.
    place.file(
        "node_modules/ghost/node_modules/knex-migrator/node_modules/x/package.json",
        "{}",
    );
    assert_eq!(
        listed(&place, "", PACKAGE, Depth::PackageDirectories),
        [">node_modules/knex-migrator 5.0.0"]
    );
    place.package(
        "node_modules/ghost/node_modules/knex-migrator",
        PACKAGE,
        "6.0.0",
    );
    assert_eq!(
        listed(&place, "", PACKAGE, Depth::PackageDirectories),
        [
            ">node_modules/ghost/node_modules/knex-migrator 6.0.0",
            "node_modules/knex-migrator 5.0.0"
        ]
    );
}

#[test]
fn a_dependency_of_a_pnpm_project_is_resolved_beside_ghost() {
    let place = Place::new();
    let ghost = "node_modules/.pnpm/ghost@6.0.0/node_modules/ghost";
    let real = "node_modules/.pnpm/knex-migrator@6.2.1/node_modules/knex-migrator";
    place.package(ghost, "ghost", "6.0.0");
    place.package(real, PACKAGE, "6.2.1");
    place.link("node_modules/ghost", ".pnpm/ghost@6.0.0/node_modules/ghost");
    place.link(
        "node_modules/.pnpm/ghost@6.0.0/node_modules/knex-migrator",
        "../../knex-migrator@6.2.1/node_modules/knex-migrator",
    );
    assert_eq!(
        listed(&place, "", PACKAGE, Depth::PackageDirectories),
        [format!(">{real} 6.2.1")]
    );
    assert_eq!(
        listed(&place, "", "ghost", Depth::PackageDirectories),
        [format!(">{ghost} 6.0.0")]
    );
}

#[test]
fn ghost_itself_is_a_package() {
    let place = pnpm();
    assert_eq!(
        listed(&place, "", "ghost", Depth::PackageDirectories),
        ["> 6.65.0"]
    );
}

#[test]
fn node_modules_may_be_a_link_within_the_installation() {
    let place = Place::new();
    place.package("", "ghost", "6.0.0");
    place.package("deps/node_modules/knex-migrator", PACKAGE, "6.0.0");
    place.package(
        "deps/node_modules/a/node_modules/knex-migrator",
        PACKAGE,
        "5.0.0",
    );
    place.link("node_modules", "deps/node_modules");
    assert_eq!(
        listed(&place, "", PACKAGE, Depth::PackageDirectories),
        [
            ">deps/node_modules/knex-migrator 6.0.0",
            "deps/node_modules/a/node_modules/knex-migrator 5.0.0"
        ]
    );
}

#[test]
fn none_is_an_answer_and_one_above_is_an_error() {
    let place = Place::new();
    place.package("versions/6.0.0", "ghost", "6.0.0");
    place.file("versions/6.0.0/node_modules/x/package.json", "{}");
    assert!(listed(&place, "", PACKAGE, Depth::PackageDirectories).is_empty());
    place.package("node_modules/knex-migrator", PACKAGE, "6.0.0");
    assert_eq!(
        told(&place, ""),
        (
            "the Ghost in /versions/6.0.0 loads knex-migrator from /node_modules/knex-migrator, which is outside of it \
             and may serve other programs"
                .into(),
            3
        )
    );
}

#[test]
fn a_package_behind_a_broken_link_is_refused() {
    for (to, words) in [
        (
            "../../store/knex-migrator",
            "/node_modules/knex-migrator leads to ../../store/knex-migrator, which is outside",
        ),
        (
            "nowhere",
            "/node_modules/knex-migrator is a link to nowhere, which does not exist",
        ),
        (
            "knex-migrator",
            "/node_modules/knex-migrator leads through links that go in circles",
        ),
    ] {
        let place = Place::new();
        place.package("store/knex-migrator", PACKAGE, "6.0.0");
        place.package("ghost", "ghost", "6.0.0");
        place.link("ghost/node_modules/knex-migrator", to);
        let (told, code) = told(&place, "ghost");
        assert!(told.starts_with(&format!("/ghost{words}")), "{told}");
        assert_eq!(code, 4);
    }
}

#[test]
fn a_broken_package_json_of_a_copy_is_told() {
    let place = Place::new();
    place.package("", "ghost", "6.0.0");
    place.file("node_modules/knex-migrator/package.json", "no");
    let (words, code) = told(&place, "");
    assert!(
        words.starts_with("/node_modules/knex-migrator/package.json: this is not JSON"),
        "{words}"
    );
    assert_eq!(code, 5);
}

#[test]
fn oddities_are_noted() {
    let place = Place::new();
    place.package("", "ghost", "6.0.0");
    place.file("node_modules/a/node_modules/knex-migrator/x", "");
    place.package("node_modules/b/node_modules/knex-migrator", "fork", "6.0.0");
    let copies = copies(&place.locate(""), PACKAGE, Depth::PackageDirectories).unwrap();
    assert_eq!(
        copies.notes,
        [
            "node_modules/a/node_modules/knex-migrator has no package.json and is not taken for a copy",
            "node_modules/b/node_modules/knex-migrator is loaded as knex-migrator and calls itself \"fork\"",
            "no copy of knex-migrator is reached by Node's resolution from Ghost's own directory",
        ]
    );
}

#[test]
fn a_target_is_a_file_of_the_installation_or_missing() {
    let place = Place::new();
    place.package("ghost", "ghost", "6.0.0");
    place.package("ghost/node_modules/knex-migrator", PACKAGE, "6.0.0");
    place.file("outside.js", "");
    let lib = "ghost/node_modules/knex-migrator/lib";
    place.link(&format!("{lib}/alias.js"), "database.js");
    place.link(&format!("{lib}/away.js"), place.at("outside.js"));
    place.link(&format!("{lib}/dangling.js"), "nowhere.js");
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        place.at(&format!("{lib}/pipe.js")),
        rustix::fs::Mode::RUSR,
    )
    .unwrap();
    let installation = place.locate("ghost");
    let copy = &copies(&installation, PACKAGE, Depth::PackageDirectories)
        .unwrap()
        .found[0];
    let told = |file: &str| match target(&installation, copy, file) {
        Ok(Target::Present { path, relative }) => {
            assert_eq!(path, installation.version_directory.join(&relative));
            format!("present {}", relative.display())
        }
        Ok(Target::Missing { relative }) => format!("missing {}", relative.display()),
        Err(error) => format!("{} {}", error.exit_code(), place.shown(error)),
    };
    let here = "node_modules/knex-migrator/lib";
    assert_eq!(
        told("lib/database.js"),
        format!("present {here}/database.js")
    );
    assert_eq!(told("lib/alias.js"), format!("present {here}/database.js"));
    assert_eq!(told("lib/none.js"), format!("missing {here}/none.js"));
    assert_eq!(
        told("lib/database.js/x.js"),
        format!("missing {here}/database.js/x.js")
    );
    assert_eq!(
        told("lib/away.js"),
        format!(
            "4 /{lib}/away.js leads to /outside.js, which is outside of /ghost: other programs may use that file"
        )
    );
    assert_eq!(
        told("lib/dangling.js"),
        format!("4 /{lib}/dangling.js is a link to nowhere.js, which does not exist")
    );
    assert_eq!(
        told("lib/pipe.js"),
        format!("5 /{lib}/pipe.js: this is a named pipe, not a file")
    );
    assert_eq!(
        told("lib"),
        format!("5 /{lib}: this is a directory, not a file")
    );
    assert!(told("../x").starts_with("70 "));
    assert!(told("/etc/passwd").starts_with("70 "));
}

#[test]
fn a_package_that_ghost_declares_and_cannot_load_is_absent() {
    let told = |place: &Place, root: &str| -> Vec<String> {
        let installation = place.locate(root);
        let reached = reached(&installation, &["ghost", PACKAGE]).unwrap();
        let absent = absent(&installation, &reached).unwrap();
        absent
            .iter()
            .map(|absent| place.shown(&absent.problem))
            .collect()
    };
    const DECLARED: &str =
        r#"{"name":"ghost","version":"6.0.0","dependencies":{"knex-migrator":"6.2.1"}}"#;
    let place = Place::new();
    place.file("package.json", DECLARED);
    place.package("node_modules/express", "express", "4.0.0");
    // Only another package can load this one.
    place.package(
        "node_modules/x/node_modules/knex-migrator",
        PACKAGE,
        "6.2.1",
    );
    assert_eq!(
        told(&place, ""),
        [
            "Ghost 6.0.0 depends on knex-migrator 6.2.1, which is not installed: Node finds none from "
        ]
    );
    place.file(".pnp.cjs", "");
    assert!(
        told(&place, "")[0].ends_with("Yarn's archives here (/.pnp.cjs), which cannot be patched")
    );
    place.package("node_modules/knex-migrator", PACKAGE, "6.2.1");
    assert_eq!(told(&place, ""), [""; 0]);

    // A workspace, where it is hoisted above Ghost's own directory; pnpm, where it lies beside Ghost in the store.
    for (ghost, migrator) in [
        ("ghost/core", "node_modules/knex-migrator"),
        (
            "node_modules/.pnpm/ghost@6.0.0/node_modules/ghost",
            "node_modules/.pnpm/ghost@6.0.0/node_modules/knex-migrator",
        ),
    ] {
        let place = Place::new();
        place.file("package.json", r#"{"dependencies":{"ghost":"6.0.0"}}"#);
        place.file(&format!("{ghost}/package.json"), DECLARED);
        place.link("node_modules/ghost", place.at(ghost));
        assert_eq!(told(&place, "").len(), 1, "{ghost}");
        place.package(migrator, PACKAGE, "6.2.1");
        assert_eq!(told(&place, ""), [""; 0], "{ghost}");
    }

    // The oldest Ghosts declare none.
    let place = Place::new();
    place.package("", "ghost", "0.11.14");
    assert_eq!(told(&place, ""), [""; 0]);
}
