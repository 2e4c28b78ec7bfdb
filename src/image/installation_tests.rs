use super::*;
use crate::image::fixture::Place;

fn found(place: &Place, root: &str) -> (String, String, String) {
    let installation = place.locate(root);
    assert_eq!(installation.root, place.at(root));
    (
        installation.ghost.version,
        place.shown(installation.version_directory.display()),
        place.shown(installation.ghost.directory.display()),
    )
}

/// The error's words, next step and exit code, with the place's path taken out.
fn told(place: &Place, root: &str) -> (String, String, u8) {
    let error = locate(&place.at(root)).unwrap_err();
    (
        place.shown(&error),
        place.shown(error.next_step()),
        error.exit_code(),
    )
}

#[test]
fn ghost_cli_has_a_link_current_relative_or_absolute() {
    for absolute in [false, true] {
        let place = Place::new();
        place.package("versions/6.65.0", "ghost", "6.65.0");
        place.package("versions/6.64.0", "ghost", "6.64.0");
        let to = if absolute {
            place.at("versions/6.65.0")
        } else {
            "versions/6.65.0".into()
        };
        place.link("current", to);
        let expected = (
            "6.65.0".into(),
            "/versions/6.65.0".into(),
            "/versions/6.65.0".into(),
        );
        assert_eq!(found(&place, ""), expected);
        assert_eq!(found(&place, "current"), expected);
        assert_eq!(found(&place, "versions/6.65.0"), expected);
    }
}

#[test]
fn ghosts_own_directory_and_a_root_behind_a_link() {
    let place = Place::new();
    place.package("real/ghost", "ghost", "5.75.1");
    place.link("seen", "real");
    let expected = ("5.75.1".into(), "/real/ghost".into(), "/real/ghost".into());
    assert_eq!(found(&place, "real/ghost"), expected);
    assert_eq!(found(&place, "seen/ghost"), expected);
}

#[test]
fn current_may_be_given_by_the_root_as_the_user_writes_it() {
    let place = Place::new();
    place.package("data/versions/6.0.0", "ghost", "6.0.0");
    place.link("ghost", "data");
    place.link("data/current", place.at("ghost/versions/6.0.0"));
    let expected = (
        "6.0.0".into(),
        "/data/versions/6.0.0".into(),
        "/data/versions/6.0.0".into(),
    );
    assert_eq!(found(&place, "ghost"), expected);
}

#[test]
fn a_project_that_depends_on_ghost_flat_and_with_pnpm() {
    let place = Place::new();
    place.file(
        "flat/package.json",
        r#"{"name":"blog","dependencies":{"ghost":"6.0.0"}}"#,
    );
    place.package("flat/node_modules/ghost", "ghost", "6.0.0");
    assert_eq!(
        found(&place, "flat"),
        (
            "6.0.0".into(),
            "/flat".into(),
            "/flat/node_modules/ghost".into()
        )
    );

    let real = "pnpm/node_modules/.pnpm/ghost@6.0.0/node_modules/ghost";
    place.package(real, "ghost", "6.0.0");
    place.link(
        "pnpm/node_modules/ghost",
        ".pnpm/ghost@6.0.0/node_modules/ghost",
    );
    assert_eq!(
        found(&place, "pnpm"),
        ("6.0.0".into(), "/pnpm".into(), format!("/{real}"))
    );
}

#[test]
fn a_project_called_ghost_is_not_ghost() {
    let place = Place::new();
    place.file(
        "package.json",
        r#"{"name":"ghost","version":"1.0.0","dependencies":{"ghost":"6.0.0"}}"#,
    );
    place.package("node_modules/ghost", "ghost", "6.0.0");
    assert_eq!(
        found(&place, ""),
        ("6.0.0".into(), String::new(), "/node_modules/ghost".into())
    );
}

#[test]
fn versions_without_current_do_when_there_is_one() {
    let place = Place::new();
    place.package("versions/6.0.0", "ghost", "6.0.0");
    place.file("versions/README", "");
    assert_eq!(
        found(&place, ""),
        (
            "6.0.0".into(),
            "/versions/6.0.0".into(),
            "/versions/6.0.0".into()
        )
    );
    place.package("versions/5.0.0", "ghost", "5.0.0");
    assert_eq!(
        told(&place, ""),
        (
            "more than one Ghost in : 5.0.0 in /versions/5.0.0, 6.0.0 in /versions/6.0.0".into(),
            "give the one that is meant, such as --root /versions/5.0.0".into(),
            3
        )
    );
}

#[test]
fn two_ghosts_in_one_place_are_too_many() {
    let place = Place::new();
    place.package("", "ghost", "6.0.0");
    place.package("versions/5.0.0", "ghost", "5.0.0");
    place.link("current", "versions/5.0.0");
    let (words, _, code) = told(&place, "");
    assert!(words.starts_with("more than one Ghost in"), "{words}");
    assert_eq!(code, 3);
}

#[test]
fn none_says_what_was_there() {
    let place = Place::new();
    place.file("empty/x", "");
    place.file("other/package.json", r#"{"name":"blog","version":"1.0.0"}"#);
    place.file("other/current/x", "");
    place.file("nameless/package.json", "{}");
    place.file("file", "");
    for (root, words) in [
        (
            "empty",
            "it has neither Ghost's package.json nor `current`, `versions` or `node_modules/ghost`",
        ),
        (
            "other",
            "its package.json is that of \"blog\", and current has no package.json",
        ),
        (
            "nameless",
            "its package.json is that of a package without a name",
        ),
        ("file", "this is not a directory"),
        ("absent", "there is no such directory"),
    ] {
        let (told, next_step, code) = told(&place, root);
        assert_eq!(told, format!("no Ghost in /{root}: {words}"));
        assert_eq!(
            next_step,
            "give the directory of the Ghost installation with --root, such as /var/lib/ghost"
        );
        assert_eq!(code, 3);
    }
}

#[test]
fn a_link_that_leads_nowhere_away_or_in_circles() {
    let place = Place::new();
    place.link("dangling/current", "versions/6.0.0");
    place.link("circle/current", "other");
    place.link("circle/other", "current");
    place.package("elsewhere", "ghost", "6.0.0");
    place.link("away/current", "../elsewhere");
    place.link("dependency/node_modules/ghost", "../../elsewhere");
    place.link("root", "nowhere");
    place.link("loop", "loop");
    for (root, words) in [
        (
            "dangling",
            "no Ghost found: /dangling/current is a link to versions/6.0.0, which does not exist",
        ),
        (
            "circle",
            "no Ghost found: /circle/current leads through links that go in circles",
        ),
        (
            "away",
            "no Ghost found: /away/current leads to ../elsewhere, which is outside of /away",
        ),
        (
            "dependency",
            "no Ghost found: /dependency/node_modules/ghost leads to ../../elsewhere, which is outside of /dependency",
        ),
        (
            "root",
            "no Ghost in /root: it is a link to nowhere, which does not exist",
        ),
        (
            "loop",
            "no Ghost in /loop: it leads through links that go in circles",
        ),
    ] {
        let (told, _, code) = told(&place, root);
        assert_eq!((told.as_str(), code), (words, 3));
    }
}

#[test]
fn an_image_unpacked_elsewhere_gets_the_directory_that_is_meant() {
    let place = Place::new();
    place.package("image/var/lib/ghost/versions/6.0.0", "ghost", "6.0.0");
    place.link(
        "image/var/lib/ghost/current",
        "/var/lib/ghost-of-this-test/versions/6.0.0",
    );
    assert_eq!(
        told(&place, "image/var/lib/ghost"),
        (
            "no Ghost found: /image/var/lib/ghost/current leads to /var/lib/ghost-of-this-test/versions/6.0.0, \
             which is outside of /image/var/lib/ghost"
                .into(),
            "the link is meant for another place; give --root /image/var/lib/ghost/versions/6.0.0".into(),
            3
        )
    );
}

#[test]
fn a_broken_package_json_is_told_unless_there_is_another_ghost() {
    let place = Place::new();
    place.file("package.json", "{");
    let (words, _, code) = told(&place, "");
    assert!(
        words.starts_with("/package.json: this is not JSON"),
        "{words}"
    );
    assert_eq!(code, 5);
    place.package("current", "ghost", "6.0.0");
    assert_eq!(found(&place, "").0, "6.0.0");
    place.file("current/package.json", r#"{"name":"ghost"}"#);
    assert_eq!(
        told(&place, "").0,
        "/current/package.json: it has no \"version\""
    );
}
