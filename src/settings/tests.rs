use clap::Parser;

use super::*;

const KNOWN: Known<'static> = &[
    (
        "database-exists",
        &[Profile::Planetscale, Profile::Vitess, Profile::Mysql],
    ),
    (
        "fixtures-transaction",
        &[Profile::Planetscale, Profile::Vitess],
    ),
    ("schema-lag", &[Profile::Planetscale]),
    ("rarely-wanted", &[]),
];

fn environment() -> Environment {
    Environment {
        ghost_install: None,
        working_directory: Some("/work".into()),
        screen: Screen::LOG,
        stage: None,
    }
}

fn settings(typed: &str) -> Result<Settings> {
    settings_in(&environment(), typed)
}

fn settings_in(environment: &Environment, typed: &str) -> Result<Settings> {
    let words = std::iter::once("ghostfix").chain(typed.split_whitespace());
    Settings::new(
        args::Args::try_parse_from(words).unwrap(),
        environment,
        KNOWN,
    )
}

fn selected(typed: &str) -> Vec<String> {
    match settings(typed).unwrap().command {
        Command::Patch(Patch { patches, .. }) | Command::Verify(Verify { patches, .. }) => patches,
        Command::Revert(Revert { patches, .. }) => patches,
        other => panic!("{other:?} selects nothing"),
    }
}

fn root(environment: &Environment, typed: &str) -> Root {
    match settings_in(environment, typed).unwrap().command {
        Command::Patch(Patch { root, .. })
        | Command::Verify(Verify { root, .. })
        | Command::Revert(Revert { root, .. }) => root,
        other => panic!("{other:?} has no root"),
    }
}

fn problems(typed: &str) -> (String, String) {
    match settings(typed) {
        Err(error @ Error::Usage { .. }) => (error.to_string(), error.next_step().to_owned()),
        other => panic!("{typed}: {other:?}"),
    }
}

#[test]
fn a_profile_selects_its_patches_and_planetscale_is_the_default() {
    assert_eq!(
        selected("patch"),
        ["database-exists", "fixtures-transaction", "schema-lag"]
    );
    assert_eq!(
        selected("verify --profile vitess"),
        ["database-exists", "fixtures-transaction"]
    );
    assert_eq!(selected("patch --profile mysql"), ["database-exists"]);
}

#[test]
fn only_with_and_without_select_in_the_order_of_the_catalogue() {
    assert_eq!(
        selected("patch --only schema-lag --only database-exists"),
        ["database-exists", "schema-lag"]
    );
    assert_eq!(
        selected("patch --only schema-lag,rarely-wanted"),
        ["schema-lag", "rarely-wanted"]
    );
    assert_eq!(
        selected("patch --profile mysql --only schema-lag"),
        ["schema-lag"]
    );
    assert_eq!(
        selected("patch --profile mysql --with rarely-wanted"),
        ["database-exists", "rarely-wanted"]
    );
    assert_eq!(
        selected("patch --without schema-lag --without database-exists"),
        ["fixtures-transaction"]
    );
}

#[test]
fn revert_takes_out_what_any_profile_put_in() {
    assert_eq!(
        selected("revert"),
        [
            "database-exists",
            "fixtures-transaction",
            "schema-lag",
            "rarely-wanted"
        ]
    );
    assert_eq!(selected("revert --only rarely-wanted"), ["rarely-wanted"]);
}

#[test]
fn an_unknown_id_is_named_with_the_nearest_one() {
    assert_eq!(
        problems("patch --only databse-exists"),
        (
            "--only databse-exists: no patch has this id (did you mean database-exists?)"
                .to_owned(),
            "`ghostfix patches list` shows the ids".to_owned(),
        )
    );
    assert_eq!(
        problems("patches show nothing-like-it").0,
        "nothing-like-it: no patch has this id"
    );
    assert_eq!(
        problems("revert --only schemalag").0,
        "--only schemalag: no patch has this id (did you mean schema-lag?)"
    );
}

#[test]
fn all_problems_are_told_at_once() {
    let (problem, next_step) = problems(
        "patch -q -v --only schema-lag --with nope --without nope2 --with schema-lag --without schema-lag",
    );
    assert_eq!(
        problem,
        "\
--quiet and --verbose contradict each other
--with nope: no patch has this id
--without nope2: no patch has this id
--only and --with contradict each other: --only already says exactly which
--only and --without contradict each other: --only already says exactly which
--with schema-lag and --without schema-lag contradict each other"
    );
    assert_eq!(
        next_step,
        "\
give one of them
`ghostfix patches list` shows the ids
choose by --only alone, or by --profile, --with and --without"
    );
}

#[test]
fn a_selection_of_nothing_is_a_mistake() {
    assert_eq!(
        problems("patch --profile mysql --without database-exists").0,
        "no patch is left: --without takes out all of profile mysql"
    );
}

#[test]
fn the_root_is_what_was_typed_then_what_the_image_says_then_a_search() {
    let installed = Environment {
        ghost_install: Some("/opt/ghost".into()),
        ..environment()
    };
    assert_eq!(
        root(&installed, "patch --root ./here"),
        Root::Given("./here".into())
    );
    assert_eq!(
        root(&installed, "verify"),
        Root::Installed("/opt/ghost".into())
    );
    assert_eq!(
        root(&environment(), "revert"),
        Root::FirstOf(vec!["/work".into(), "/var/lib/ghost".into()])
    );
    let official = Environment {
        working_directory: Some("/var/lib/ghost".into()),
        ..environment()
    };
    assert_eq!(
        root(&official, "patch"),
        Root::FirstOf(vec!["/var/lib/ghost".into()])
    );
    let nowhere = Environment {
        working_directory: None,
        ..environment()
    };
    assert_eq!(
        root(&nowhere, "patch"),
        Root::FirstOf(vec!["/var/lib/ghost".into()])
    );
}

fn no_ghost(root: &Path) -> Error {
    Error::NothingToWorkOn {
        problem: format!("no Ghost in {}", root.display()),
        next_step: "look".to_owned(),
    }
}

#[test]
fn a_search_goes_on_where_there_is_no_ghost_and_says_where_it_was() {
    let search = Root::FirstOf(vec!["/work".into(), "/var/lib/ghost".into()]);
    let found = search.locate(|root| {
        if root == Path::new("/work") {
            Err(no_ghost(root))
        } else {
            Ok(7)
        }
    });
    assert_eq!(found.unwrap(), ("/var/lib/ghost".into(), 7));

    let error = search
        .locate(|root| Err::<(), _>(no_ghost(root)))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "no Ghost found\nno Ghost in /work\nno Ghost in /var/lib/ghost"
    );
    assert_eq!(error.exit_code(), 3);
}

#[test]
fn a_search_ends_at_a_ghost_that_is_broken() {
    let search = Root::FirstOf(vec!["/work".into(), "/var/lib/ghost".into()]);
    let error = search
        .locate(|root| {
            if root == Path::new("/work") {
                Err(unusable(root))
            } else {
                Ok(())
            }
        })
        .unwrap_err();
    assert_eq!(error.exit_code(), 5);
}

fn unusable(root: &Path) -> Error {
    Error::Unusable {
        path: root.join("package.json"),
        problem: "no JSON".to_owned(),
        next_step: "mend it".to_owned(),
    }
}

#[test]
fn where_a_root_comes_from_the_environment_the_error_says_so() {
    let error = Root::Installed("/opt/ghost".into())
        .locate(|root| Err::<(), _>(no_ghost(root)))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "no Ghost in /opt/ghost (which is what GHOST_INSTALL says)"
    );
}

#[test]
fn output_flags_are_the_same_before_and_after_the_command() {
    for typed in [
        "--format json --color never -v patch",
        "patch --format json --color never --verbose",
    ] {
        let output = settings(typed).unwrap().output;
        assert_eq!(output.format, Format::Json);
        assert_eq!(output.color, anstream::ColorChoice::Never);
        assert_eq!(output.verbosity, Verbosity::Verbose);
    }
    let output = settings("patch").unwrap().output;
    assert_eq!(output.format, Format::Human);
    assert_eq!(output.color, anstream::ColorChoice::Auto);
    assert_eq!(output.verbosity, Verbosity::Normal);
}

#[test]
fn check_without_a_target_is_about_latest() {
    let what = |typed: &str| match settings(typed).unwrap().command {
        Command::Check(check) => check.what,
        other => panic!("{other:?}"),
    };
    let targets = |names: &[&str]| What::Targets(names.iter().map(ToString::to_string).collect());
    assert_eq!(what("check"), targets(&["latest"]));
    assert_eq!(
        what("dry-run 6.65.0 ghost:6"),
        targets(&["6.65.0", "ghost:6"])
    );
    assert_eq!(what("check --all"), What::All);
    assert_eq!(what("check --since 5.0"), What::Since("5.0".to_owned()));
}

#[test]
fn pages_are_for_check_alone() {
    assert!(settings("check --format html").is_ok());
    assert!(settings("check --format markdown").is_ok());
    assert_eq!(
        problems("patch --format markdown"),
        (
            "the forms markdown and html are for `ghostfix check` alone".to_owned(),
            "choose --format human, json, github or sarif".to_owned()
        )
    );
}

#[test]
fn dry_run_and_deep_are_what_they_say() {
    let Command::Patch(patch) = settings("patch --dry-run --deep").unwrap().command else {
        panic!()
    };
    assert_eq!((patch.dry_run, patch.reach), (true, Reach::Everything));
    let Command::Patch(patch) = settings("patch").unwrap().command else {
        panic!()
    };
    assert_eq!((patch.dry_run, patch.reach), (false, Reach::Packages));
}
