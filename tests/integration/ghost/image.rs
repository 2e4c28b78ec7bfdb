//! Archives of images: what is kept of them, and what is refused.

use std::collections::BTreeMap;
use std::path::Path;

use ghostfix::error::Result;
use ghostfix::ghost::image::{Image as Read, Limits, Node, read_archive};
use serde_json::json;

use crate::ghost::image_builder::{Image, Layer, Packing, archive, gzip, sha256, write};

const GHOST: &str = "var/lib/ghost/versions/6.65.0";

/// An installation as pnpm leaves it: knex-migrator behind links, its file a hard link into the store.
fn installation() -> Vec<(Packing, Layer)> {
    let package =
        format!("{GHOST}/node_modules/.pnpm/knex-migrator@6.2.1/node_modules/knex-migrator");
    vec![
        (
            Packing::Gzip,
            Layer::new()
                .file("etc/passwd", "root")
                .link("lib", "usr/lib")
                .file("usr/lib/libc.so", vec![0; 50_000]),
        ),
        (
            Packing::Zstandard,
            Layer::new()
                .directory("var/lib/ghost")
                .file("root/.store/v10/files/ab/cdef", "the database")
                .file(
                    &format!("{GHOST}/package.json"),
                    r#"{"name": "ghost", "version": "6.65.0"}"#,
                )
                .file(
                    &format!("{GHOST}/core/server/data/schema/schema.js"),
                    "the schema",
                )
                .file(
                    &format!("{GHOST}/core/server/data/schema/README.md"),
                    "not kept",
                )
                .hard_link(
                    &format!("{package}/lib/database.js"),
                    "root/.store/v10/files/ab/cdef",
                )
                .file(&format!("{package}/package.json"), "{}")
                .link(
                    &format!("{GHOST}/node_modules/knex-migrator"),
                    ".pnpm/knex-migrator@6.2.1/node_modules/knex-migrator",
                )
                .link(
                    &format!("{GHOST}/node_modules/express"),
                    ".pnpm/express@4/node_modules/express",
                )
                .link("var/lib/ghost/current", "/var/lib/ghost/versions/6.65.0"),
        ),
        (
            Packing::Plain,
            Layer::new()
                .file(
                    &format!("{GHOST}/core/server/models/session.js"),
                    "the session",
                )
                .file("root/.store/.wh.v10", "")
                .file(
                    &format!("{GHOST}/core/server/data/schema/schema.js"),
                    "the patched schema",
                ),
        ),
    ]
}

fn shown(image: &Read) -> Vec<String> {
    image
        .tree
        .nodes()
        .map(|(path, node)| match node {
            Node::File { bytes, .. } => format!("{path}: {}", String::from_utf8_lossy(bytes)),
            Node::Link(target) => format!("{path} -> {target}"),
        })
        .map(|line| line.replace(GHOST, "GHOST"))
        .collect()
}

fn expected() -> Vec<String> {
    [
        "var/lib/ghost/current -> /GHOST",
        "GHOST/core/server/data/schema/schema.js: the patched schema",
        "GHOST/core/server/models/session.js: the session",
        "GHOST/node_modules/.pnpm/knex-migrator@6.2.1/node_modules/knex-migrator/lib/database.js: the database",
        "GHOST/node_modules/.pnpm/knex-migrator@6.2.1/node_modules/knex-migrator/package.json: {}",
        "GHOST/node_modules/knex-migrator -> .pnpm/knex-migrator@6.2.1/node_modules/knex-migrator",
        "GHOST/package.json: {\"name\": \"ghost\", \"version\": \"6.65.0\"}",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn read(directory: &Path, bytes: &[u8]) -> Result<Read> {
    let path = directory.join("image.tar");
    std::fs::write(&path, bytes).unwrap();
    read_archive(&path, &Limits::default())
}

fn failure(bytes: &[u8]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let error = read(directory.path(), bytes).expect_err("an error");
    assert_eq!(error.exit_code(), 6, "{error}");
    error
        .to_string()
        .replace(&format!("{}/", directory.path().display()), "")
}

#[test]
fn every_form_of_archive_holds_the_same_image() {
    let directory = tempfile::tempdir().unwrap();
    let image = Image::new(installation());
    let layout = image.layout(&[image.entry()]);
    let saved = image.saved();
    let both: BTreeMap<String, Vec<u8>> = layout
        .iter()
        .chain(&saved)
        .map(|(name, bytes)| (name.clone(), bytes.clone()))
        .collect();
    let zstandard = |bytes: &[u8]| {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    };
    for bytes in [
        archive(&layout),
        archive(&saved),
        archive(&both),
        gzip(&archive(&layout)),
        gzip(&archive(&saved)),
        zstandard(&archive(&saved)),
    ] {
        let found = read(directory.path(), &bytes).unwrap();
        assert_eq!(shown(&found), expected());
        assert_eq!(found.config.environment["NODE_VERSION"], "22.23.1");
    }
    let unpacked = directory.path().join("layout");
    write(&layout, &unpacked);
    let found = read_archive(&unpacked, &Limits::default()).unwrap();
    assert_eq!(shown(&found), expected());
    assert_eq!(
        found.digest,
        Some(format!("sha256:{}", sha256(&image.manifest)))
    );
}

#[test]
fn what_was_written_out_can_be_searched_like_an_installation() {
    let directory = tempfile::tempdir().unwrap();
    let image = Image::new(installation());
    let found = read(directory.path(), &archive(&image.saved())).unwrap();
    let root = directory.path().join("root");
    std::fs::create_dir(&root).unwrap();
    found.tree.write_below(&root).unwrap();
    let ghost = root.join("var/lib/ghost/current");
    assert_eq!(
        ghost.canonicalize().unwrap(),
        root.join(GHOST).canonicalize().unwrap()
    );
    assert_eq!(
        std::fs::read_to_string(ghost.join("node_modules/knex-migrator/lib/database.js")).unwrap(),
        "the database"
    );
}

#[test]
fn an_old_save_stores_a_layer_once_and_links_to_it() {
    let directory = tempfile::tempdir().unwrap();
    let twice = || Layer::new().file(&format!("{GHOST}/package.json"), "{}");
    let image = Image::new(vec![(Packing::Plain, twice())]);
    let saved = image.saved();
    let layer = saved
        .keys()
        .find(|name| name.ends_with("layer.tar"))
        .unwrap()
        .clone();
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in &saved {
        let mut header = tar::Header::new_gnu();
        if *name == layer {
            header.set_size(bytes.len() as u64);
            builder
                .append_data(&mut header, "0123/layer.tar", bytes.as_slice())
                .unwrap();
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            builder
                .append_link(&mut header, name, "../0123/layer.tar")
                .unwrap();
        } else {
            header.set_size(bytes.len() as u64);
            builder
                .append_data(&mut header, name, bytes.as_slice())
                .unwrap();
        }
    }
    let found = read(directory.path(), &builder.into_inner().unwrap()).unwrap();
    assert_eq!(shown(&found), ["GHOST/package.json: {}"]);
}

#[test]
fn an_index_of_platforms_is_one_image_and_of_images_is_several() {
    let directory = tempfile::tempdir().unwrap();
    let image = Image::new(installation());
    let of = |architecture: &str| {
        let mut entry = image.entry();
        entry["platform"] = json!({"os": "linux", "architecture": architecture});
        entry
    };
    let attestation = json!({"digest": format!("sha256:{}", "0".repeat(64)), "platform": {"os": "unknown", "architecture": "unknown"}});
    let found = read(
        directory.path(),
        &archive(&image.layout(&[of("amd64"), of("arm64"), attestation])),
    )
    .unwrap();
    assert_eq!(shown(&found), expected());
    let named = |name: &str| {
        let mut entry = image.entry();
        entry["annotations"] = json!({"org.opencontainers.image.ref.name": name});
        entry
    };
    assert_eq!(
        failure(&archive(
            &image.layout(&[named("ghost:6"), named("ghost:5")])
        )),
        "image.tar holds several images: ghost:6, ghost:5"
    );
    assert_eq!(
        failure(&archive(&BTreeMap::from([("readme".to_owned(), vec![1])]))),
        "image.tar holds no image"
    );
}

#[test]
fn a_changed_byte_anywhere_is_found() {
    let image = Image::new(installation());
    for mut files in [image.layout(&[image.entry()]), image.saved()] {
        let names: Vec<String> = files.keys().cloned().collect();
        for name in names {
            // What everything hangs on has no digest above it; what it names is found changed, or not at all.
            if matches!(name.as_str(), "oci-layout" | "index.json" | "manifest.json") {
                continue;
            }
            let honest = files[&name].clone();
            for at in [0, honest.len() / 2, honest.len() - 1] {
                let mut changed = honest.clone();
                changed[at] ^= 1;
                files.insert(name.clone(), changed);
                let found = failure(&archive(&files));
                assert!(
                    found.contains("digest is ") && found.ends_with(" was published"),
                    "{name} at {at}: {found}"
                );
            }
            files.insert(name.clone(), [honest.clone(), vec![0; 512]].concat());
            let found = failure(&archive(&files));
            assert!(
                found.contains("digest is ") && found.ends_with(" was published"),
                "{name} longer: {found}"
            );
            files.insert(name, honest);
        }
    }
}

#[test]
fn hostile_layers_are_refused() {
    let of = |layer: Layer| {
        let image = Image::new(vec![(Packing::Gzip, layer)]);
        failure(&archive(&image.layout(&[image.entry()])))
    };
    assert_eq!(
        of(Layer::new().file("var/../../etc/package.json", "x")),
        "image.tar: it holds the path `var/../../etc/package.json`, which leads out of it"
    );
    assert_eq!(
        of(Layer::new().hard_link("a/package.json", "../../etc/passwd")),
        "image.tar: it holds the path `../../etc/passwd`, which leads out of it"
    );
    assert_eq!(
        of(Layer::new().hard_link("a/package.json", "nowhere")),
        "image.tar: it is damaged: a/package.json is a hard link to nowhere, which no layer has"
    );
    assert_eq!(
        of(Layer::new()
            .link("a", "b")
            .link("b", "a")
            .file("a/package.json", "x")),
        "image.tar: it is damaged: the links on the way to a/package.json go round in circles"
    );
    assert_eq!(
        of(Layer::new().file("package.json", vec![b' '; 17 << 20])),
        "image.tar: what it wants kept is larger than the limit of 16 MB"
    );
    // A path that begins at the root is below it like any other.
    let rooted = Image::new(vec![(
        Packing::Gzip,
        Layer::new().file("/srv/package.json", "{}"),
    )]);
    let directory = tempfile::tempdir().unwrap();
    let found = read(
        directory.path(),
        &archive(&rooted.layout(&[rooted.entry()])),
    )
    .unwrap();
    assert_eq!(shown(&found), ["srv/package.json: {}"]);
}

#[test]
fn a_bomb_is_stopped() {
    let limits = Limits {
        unpacked: 4 << 20,
        ..Limits::default()
    };
    let directory = tempfile::tempdir().unwrap();
    let image = Image::new(vec![(
        Packing::Gzip,
        Layer::new().file("zeros", vec![0; 8 << 20]),
    )]);
    let inner = archive(&image.layout(&[image.entry()]));
    assert!(inner.len() < 1 << 20);
    let path = directory.path().join("image.tar");
    std::fs::write(&path, &inner).unwrap();
    let error = read_archive(&path, &limits).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the layer unpacked is larger than the limit of 4 MB"),
        "{error}"
    );
    std::fs::write(&path, gzip(&vec![0; 8 << 20])).unwrap();
    let error = read_archive(&path, &limits).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the archive unpacked is larger than the limit of 4 MB"),
        "{error}"
    );
}

#[test]
fn what_is_missing_or_cut_off_is_named() {
    let image = Image::new(installation());
    let whole = archive(&image.layout(&[image.entry()]));
    for length in [0, 100, 512, whole.len() / 2, whole.len() - 2000] {
        let found = failure(&whole[..length]);
        assert!(found.starts_with("image.tar"), "{found}");
    }
    // In the middle of a part, which is not the end of an archive without an image.
    let found = failure(&whole[..whole.len() / 2]);
    assert!(
        found.starts_with("image.tar: it is damaged: it ends in the middle of blobs/sha256/"),
        "{found}"
    );
    let mut files = image.layout(&[image.entry()]);
    let layer = sha256(&gzip(b""));
    files.retain(|name, bytes| !(name.starts_with("blobs/") && bytes.starts_with(&[0x28, 0xb5])));
    let found = failure(&archive(&files));
    assert!(
        found.starts_with("image.tar: it is damaged: it lacks blobs/sha256/")
            && found.ends_with(", which its manifest names"),
        "{layer} {found}"
    );
}
