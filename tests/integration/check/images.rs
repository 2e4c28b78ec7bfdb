//! Images: archives of every kind and a real registry; what is patched in them, and what is no Ghost.

use std::fs;
use std::path::Path;

use ghostfix::catalogue;
use serde_json::{Value, json};

use crate::check::{DATABASE, LOCK_TABLE, check, ghost_files, run, said, states};
use crate::common;
use crate::ghost::image_builder::{self, Image, Layer, Packing, archive};
use crate::ghost::image_registry::{DockerRegistry, skopeo};
use crate::packages;

const VERSION: &str = "var/lib/ghost/versions/6.65.0";
const MIGRATOR: &str = "node_modules/.pnpm/knex-migrator@6.2.1/node_modules/knex-migrator";

/// A Ghost as the official image has it, below `root`.
fn install(root: &Path) {
    let ghost = root.join(VERSION);
    let write = |path: String, bytes: &[u8]| {
        let path = ghost.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    write(
        "package.json".to_owned(),
        br#"{"name": "ghost", "version": "6.65.0", "engines": {"node": "^22.13.1"}, "dependencies": {"knex-migrator": "6.2.1"}}"#,
    );
    for (path, text) in ghost_files() {
        write(path.to_owned(), text.as_bytes());
    }
    for path in ["package.json", DATABASE, LOCK_TABLE] {
        let bytes = packages::published("knex-migrator", "6.2.1", path);
        write(format!("{MIGRATOR}/{path}"), &bytes);
    }
    std::os::unix::fs::symlink(
        ".pnpm/knex-migrator@6.2.1/node_modules/knex-migrator",
        ghost.join("node_modules/knex-migrator"),
    )
    .unwrap();
    std::os::unix::fs::symlink("versions/6.65.0", root.join("var/lib/ghost/current")).unwrap();
}

/// All files and links below a directory, as a layer that `keep` chooses from.
fn layer(root: &Path, keep: impl Fn(&str) -> bool) -> Layer {
    let mut layer = Layer::new();
    for entry in walkdir::WalkDir::new(root).sort_by_file_name() {
        let entry = entry.unwrap();
        let path = entry.path().strip_prefix(root).unwrap().to_str().unwrap();
        if path.is_empty() || !keep(path) {
            continue;
        }
        layer = if entry.file_type().is_symlink() {
            layer.link(path, fs::read_link(entry.path()).unwrap().to_str().unwrap())
        } else if entry.file_type().is_file() {
            layer.file(path, fs::read(entry.path()).unwrap())
        } else {
            layer
        };
    }
    layer
}

/// Ghost in one layer, as it is published; and the same with what `ghostfix patch` wrote in a layer on top.
pub(crate) fn images() -> (Image, Image) {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    install(root);
    let below = |root: &Path| {
        vec![
            (
                Packing::Gzip,
                Layer::new().file("usr/lib/large", vec![7; 300_000]),
            ),
            (Packing::Zstandard, layer(root, |_| true)),
        ]
    };
    let published = Image::new(below(root));
    let mut layers = below(root);
    let patch = common::run("patch", &root.join("var/lib/ghost"), &[]);
    assert_eq!(patch.code(), 0, "{}", patch.answer);
    let patched = |path: &str| path.ends_with(".js") || path.contains("/.ghostfix/");
    layers.push((Packing::Plain, layer(root, patched)));
    (published, Image::new(layers))
}

pub(crate) fn save(image: &Image, path: &Path) {
    fs::write(path, archive(&image.layout(&[image.entry()]))).unwrap();
}

fn verify(home: &Path, image: &str) -> (i32, Value) {
    let answer = run(home, &["verify", "--image", image, "--format", "json"]);
    let report = serde_json::from_str(&answer.stdout)
        .unwrap_or_else(|problem| panic!("{problem}: {answer}"));
    (answer.code(), report)
}

/// The images that are written out among the temporary files.
pub(crate) fn left(home: &Path) -> Vec<String> {
    fs::read_dir(home)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("ghostfix-image-"))
        .collect()
}

/// Images are written out to be looked at, and taken away again.
pub(crate) fn assert_nothing_left(home: &Path) {
    let left = left(home);
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn an_archive_of_either_kind_is_checked_and_verified() {
    let (published, patched) = images();
    let home = tempfile::tempdir().unwrap();
    save(&published, &home.path().join("published.tar"));
    save(&patched, &home.path().join("patched.tar"));
    fs::write(home.path().join("saved.tar"), archive(&patched.saved())).unwrap();
    image_builder::write(
        &patched.layout(&[patched.entry()]),
        &home.path().join("layout"),
    );
    let nowhere = "http://127.0.0.1:9/";

    let (code, report) = check(home.path(), nowhere, &["published.tar"]);
    assert_eq!(code, 0, "{report}");
    let target = &report["targets"][0];
    assert_eq!(target["resolved_via"], "image");
    assert_eq!(target["ghost"], "6.65.0");
    assert_eq!(target["node"], "^22.13.1");
    assert_eq!(target["knex_migrator"]["version"], "6.2.1");
    assert!(target["image"].as_str().unwrap().starts_with("sha256:"));
    assert!(
        states(target)
            .iter()
            .all(|(_, state)| *state == "would-apply")
    );
    assert_eq!(
        target["patches"][0]["path"],
        format!("versions/6.65.0/{MIGRATOR}/{DATABASE}")
    );

    let (code, report) = verify(home.path(), "published.tar");
    assert_eq!(code, 1);
    assert_eq!(report["root"], "/var/lib/ghost");
    assert_eq!(
        report["ghost"]["directory"],
        "/var/lib/ghost/versions/6.65.0"
    );
    assert!(
        states(&report)
            .iter()
            .all(|(_, state)| *state == "not-applied")
    );

    for image in ["patched.tar", "saved.tar", "./layout"] {
        let (code, report) = verify(home.path(), image);
        assert_eq!(code, 0, "{image}: {report}");
        assert!(
            states(&report)
                .iter()
                .all(|(_, state)| *state == "already-applied")
        );
        let (code, report) = check(home.path(), nowhere, &[image]);
        assert_eq!(code, 0, "{image}: {report}");
        assert!(
            states(&report["targets"][0])
                .iter()
                .all(|(_, state)| *state == "already-applied")
        );
    }
    assert_nothing_left(home.path());
}

#[test]
fn an_image_whose_knex_migrator_is_gone_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    install(directory.path());
    let patch = common::run("patch", &directory.path().join("var/lib/ghost"), &[]);
    assert_eq!(patch.code(), 0, "{}", patch.answer);
    let rest = layer(directory.path(), |path| !path.contains("knex-migrator"));
    let home = tempfile::tempdir().unwrap();
    save(
        &Image::new(vec![(Packing::Gzip, rest)]),
        &home.path().join("gone.tar"),
    );

    let (code, report) = check(home.path(), "http://127.0.0.1:9/", &["gone.tar"]);
    assert_eq!(code, 1, "{report}");
    let target = &report["targets"][0];
    assert_eq!(target["verdict"], "refused");
    assert_eq!(
        target["reason"],
        "Ghost 6.65.0 depends on knex-migrator 6.2.1, which is not installed: Node finds none from \
         /var/lib/ghost/versions/6.65.0."
    );
    assert!(
        target["next_step"]
            .as_str()
            .unwrap()
            .starts_with("install it"),
        "{target}"
    );
    let missing: Vec<(&str, &str)> = catalogue::patches()
        .iter()
        .map(|patch| {
            let is_gone = patch.definition.target.package == "knex-migrator";
            let state = if is_gone {
                "missing"
            } else {
                "already-applied"
            };
            (patch.definition.id.as_str(), state)
        })
        .collect();
    assert_eq!(states(target), missing);

    let (code, report) = verify(home.path(), "gone.tar");
    assert_eq!((code, report["exit_code"].as_i64()), (3, Some(3)));
    assert!(!report.to_string().contains("ghostfix-image-"), "{report}");
    assert_nothing_left(home.path());
}

#[test]
fn a_link_out_of_the_installation_is_refused_in_words_about_the_image() {
    let directory = tempfile::tempdir().unwrap();
    install(directory.path());
    let migrator = directory.path().join(VERSION).join(MIGRATOR);
    fs::create_dir(directory.path().join("opt")).unwrap();
    fs::rename(&migrator, directory.path().join("opt/km")).unwrap();
    let link = directory
        .path()
        .join(VERSION)
        .join("node_modules/knex-migrator");
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink("/opt/km", &link).unwrap();
    let home = tempfile::tempdir().unwrap();
    let all = layer(directory.path(), |_| true);
    save(
        &Image::new(vec![(Packing::Gzip, all)]),
        &home.path().join("linked.tar"),
    );
    let reason = "`ghostfix patch` would refuse: /var/lib/ghost/versions/6.65.0/node_modules/knex-migrator leads to \
                  ../../../../../../opt/km, which is outside of /var/lib/ghost/versions/6.65.0: other programs may use \
                  that file.";

    // Alone, and among others.
    let nowhere = "http://127.0.0.1:9/";
    for targets in [&["linked.tar"][..], &["linked.tar", "./linked.tar"]] {
        let (code, report) = check(home.path(), nowhere, targets);
        assert_eq!(code, 1, "{report}");
        let target = &report["targets"][0];
        assert_eq!(target["verdict"], "refused");
        assert_eq!(target["reason"], reason);
        assert_eq!(target["ghost"], "6.65.0");
        assert_eq!(states(target)[0], ("database-exists", "missing"));
        assert!(!report.to_string().contains("ghostfix-image-"), "{report}");
    }
    // An installation is no other case.
    let root = directory.path().join("var/lib/ghost");
    let (code, report) = check(home.path(), nowhere, &[root.to_str().unwrap()]);
    assert_eq!(
        (code, &report["targets"][0]["verdict"]),
        (1, &"refused".into())
    );

    let (code, report) = verify(home.path(), "linked.tar");
    assert_eq!(code, 4);
    assert!(!report.to_string().contains("ghostfix-image-"), "{report}");
    assert_nothing_left(home.path());
}

#[test]
fn a_current_that_leads_nowhere_is_told() {
    let directory = tempfile::tempdir().unwrap();
    install(directory.path());
    let home = tempfile::tempdir().unwrap();
    let archive = |current: Option<&str>| {
        let rest = layer(directory.path(), |path| path != "var/lib/ghost/current");
        let all = match current {
            Some(target) => rest.link("var/lib/ghost/current", target),
            None => rest,
        };
        save(
            &Image::new(vec![(Packing::Gzip, all)]),
            &home.path().join("image.tar"),
        );
    };
    // Where it leads elsewhere than to a Ghost, there is none, as in a directory.
    for (current, words) in [
        (
            "versions/6.64.0",
            "current is a link to versions/6.64.0, which does not exist",
        ),
        (
            "/var/lib/ghost/current",
            "current leads through links that go in circles",
        ),
        (
            "../../../../../etc",
            "/var/lib/ghost/current is a link to ../../../etc, which does not exist",
        ),
    ] {
        archive(Some(current));
        for command in [
            &["check", "image.tar"][..],
            &["verify", "--image", "image.tar"],
        ] {
            let answer = run(home.path(), command);
            assert_eq!(answer.code(), 3, "{current}: {answer}");
            assert!(said(&answer).contains(words), "{answer}");
            assert!(
                said(&answer).contains("next: let `current` lead to"),
                "{answer}"
            );
            assert!(!answer.stderr.contains("ghostfix-image-"), "{answer}");
        }
    }
    // Where there is none, the only Ghost in `versions` is meant, and what does not find it is said.
    archive(None);
    let note = "there is no `current` in /var/lib/ghost, and this is about versions/6.65.0, the only Ghost there: \
                `node current/index.js` finds no Ghost";
    let (code, report) = check(home.path(), "http://127.0.0.1:9/", &["image.tar"]);
    assert_eq!(code, 0, "{report}");
    assert_eq!(report["targets"][0]["notes"], json!([note]));
    let (_, report) = verify(home.path(), "image.tar");
    assert_eq!(report["notes"][1], note, "{report}");
    archive(Some("versions/6.65.0"));
    let (_, report) = check(home.path(), "http://127.0.0.1:9/", &["image.tar"]);
    assert_eq!(report["targets"][0]["notes"], json!([]));
}

#[test]
fn of_an_image_for_several_platforms_is_said_which_one_was_looked_at() {
    let (_, patched) = images();
    let home = tempfile::tempdir().unwrap();
    let of = |platform: &str| {
        let mut entry = patched.entry();
        let (os, architecture) = platform.split_once('/').unwrap();
        entry["platform"] = json!({"os": os, "architecture": architecture});
        entry
    };
    let index = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [of("linux/amd64"), of("linux/s390x"), of("unknown/unknown")]})
    .to_string();
    let entry =
        image_builder::descriptor("application/vnd.oci.image.index.v1+json", index.as_bytes());
    let digest = entry["digest"].as_str().unwrap().replace(':', "/");
    let mut layout = patched.layout(&[entry]);
    layout.insert(format!("blobs/{digest}"), index.into_bytes());
    fs::write(home.path().join("both.tar"), archive(&layout)).unwrap();
    let note = "this is about the image for linux/amd64; under the same name are others, for linux/s390x, which were not \
                looked at";
    let nowhere = "http://127.0.0.1:9/";
    let (code, report) = check(home.path(), nowhere, &["both.tar"]);
    assert_eq!(code, 0, "{report}");
    assert_eq!(report["targets"][0]["notes"], json!([note]));
    assert_eq!(verify(home.path(), "both.tar").1["notes"][1], note);

    // On a registry, too, and offline.
    let registry = DockerRegistry::start(None);
    let name = format!("docker://{}/library/ghost:6", registry.host);
    let file = format!("oci-archive:{}", home.path().join("both.tar").display());
    skopeo(&["copy", "--all", "--dest-tls-verify=false", &file, &name]);
    for more in [&[][..], &["--offline"]] {
        let (code, report) = check(home.path(), nowhere, &[&[name.as_str()], more].concat());
        assert_eq!(code, 0, "{report}");
        assert_eq!(report["targets"][0]["notes"], json!([note]));
    }
}

#[test]
fn an_image_on_a_registry_is_checked_and_verified_after_the_build() {
    let (published, patched) = images();
    let home = tempfile::tempdir().unwrap();
    let registry = DockerRegistry::start(None);
    for (tag, image) in [("6", &published), ("6-patched", &patched)] {
        let file = home.path().join(format!("{tag}.tar"));
        save(image, &file);
        skopeo(&[
            "copy",
            "--dest-tls-verify=false",
            &format!("oci-archive:{}", file.display()),
            &format!("docker://{}/library/ghost:{tag}", registry.host),
        ]);
    }
    let name = |tag: &str| format!("docker://{}/library/ghost:{tag}", registry.host);
    assert_eq!(verify(home.path(), &name("6")).0, 1);
    let (code, report) = verify(home.path(), &name("6-patched"));
    assert_eq!(code, 0, "{report}");
    assert!(
        report["notes"][0]
            .as_str()
            .unwrap()
            .contains("6-patched (sha256:"),
        "{report}"
    );
    let (code, report) = check(
        home.path(),
        "http://127.0.0.1:9/",
        &[&name("6"), &name("6-patched")],
    );
    assert_eq!(code, 0, "{report}");
    // From the cache alone.
    let (code, offline) = check(
        home.path(),
        "http://127.0.0.1:9/",
        &["--offline", &name("6"), &name("6-patched")],
    );
    assert_eq!((code, &offline["targets"]), (0, &report["targets"]));
    assert_eq!(verify(home.path(), &name("7")).0, 6);
    assert_nothing_left(home.path());
}

#[test]
fn what_is_no_ghost_or_damaged_or_no_image_is_told_apart() {
    let home = tempfile::tempdir().unwrap();
    let other = Image::new(vec![(
        Packing::Gzip,
        Layer::new().file("app/package.json", r#"{"name": "app", "version": "1.0.0"}"#),
    )]);
    save(&other, &home.path().join("other.tar"));
    let (published, _) = images();
    let mut layout = published.layout(&[published.entry()]);
    let largest = layout.values().map(Vec::len).max().unwrap();
    for bytes in layout.values_mut().filter(|bytes| bytes.len() == largest) {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    }
    fs::write(home.path().join("damaged.tar"), archive(&layout)).unwrap();
    fs::write(home.path().join("text.tar"), "no archive").unwrap();
    for (image, code, words) in [
        ("other.tar", 3, "there is no Ghost in "),
        ("damaged.tar", 6, "nothing of it was kept"),
        (
            "text.tar",
            6,
            "is neither an npm package nor an image archive",
        ),
        ("absent.tar", 3, "there is no file "),
        (".", 2, "is no image"),
    ] {
        let answer = run(home.path(), &["verify", "--image", image]);
        assert_eq!(answer.code(), code, "{image}: {answer}");
        assert!(said(&answer).contains(words), "{image}: {answer}");
        assert!(!answer.stderr.contains("ghostfix-image-"), "{answer}");
    }
    let answer = run(home.path(), &["check", "other.tar"]);
    assert_eq!(answer.code(), 3, "{answer}");
    assert_eq!(
        run(home.path(), &["verify", "--image", "x", "--root", "y"]).code(),
        2
    );
    assert_nothing_left(home.path());
}
