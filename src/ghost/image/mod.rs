//! Ghost in an image: on a registry, or in an archive of one.
//!
//! An image becomes a [`Tree`] of the files that the patches and the search for them are about. What is in it is for
//! others to judge, as with any installation, once it is [written out](Tree::write_below).

mod archive;
mod assemble;
mod compression;
mod credentials;
mod layer;
mod manifest;
mod pull;
mod reference;
pub mod scratch;
mod tree;

pub use archive::read_archive;
pub use layer::Limits;
pub use manifest::Config;
pub use pull::{Found, Repository};
pub use reference::{Reference, Version as ReferenceVersion};
pub use scratch::Scratch;
pub use tree::{Node, Tree};

/// What is kept of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its files, as far as they matter.
    pub tree: Tree,
    /// How it is run.
    pub config: Config,
    /// The digest of its manifest, where it has one.
    pub digest: Option<String>,
    /// The platforms for which there is another image under the same name: of these nothing is known.
    pub other_platforms: Vec<String>,
}

/// Packages that the search and the patches are about, wherever they are installed.
const PACKAGES: [&str; 5] = ["ghost", "knex", "knex-migrator", "mysql", "mysql2"];

/// Whether a file of an image is kept.
///
/// Ghost itself may lie anywhere: it is known by its own directories, and package.json files outside of node_modules are
/// kept for the search to choose from.
#[must_use]
pub fn wants(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    if path.split('/').any(|part| part == ".ghostfix") {
        return true;
    }
    let (package, within) = match path.rfind("node_modules/") {
        Some(start) => {
            let rest = &path[start + "node_modules/".len()..];
            match rest.split_once('/') {
                Some((package, within)) => (Some(package), within),
                None => return false,
            }
        }
        None => (None, path),
    };
    match package {
        Some(package) if !PACKAGES.contains(&package) => false,
        Some("knex-migrator") => is_code(name),
        Some("ghost") => name == "package.json" && within == name || is_ghosts_own(within),
        Some(_) => within == "package.json",
        None => {
            name == "package.json"
                || name == ".ghost-cli"
                || (name.starts_with("config.") && is_code(name) && !path.contains("/core/"))
                || is_ghosts_own(path)
        }
    }
}

fn is_code(name: &str) -> bool {
    [".js", ".cjs", ".mjs", ".json"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

fn is_ghosts_own(path: &str) -> bool {
    let ends_with = |wanted: &str| path == wanted || path.ends_with(&format!("/{wanted}"));
    let is_below =
        |directory: &str| path.starts_with(directory) || path.contains(&format!("/{directory}"));
    ends_with("core/server/models/session.js")
        || ends_with("MigratorConfig.js")
        || (is_code(path)
            && ["core/server/data/migrations/", "core/server/data/schema/"]
                .iter()
                .any(|directory| is_below(directory)))
}

#[cfg(test)]
mod tests {
    use super::wants;

    #[test]
    fn what_the_patches_and_the_search_are_about_is_kept() {
        let ghost = "var/lib/ghost/versions/6.65.0";
        for (path, expected) in [
            (format!("{ghost}/package.json"), true),
            (format!("{ghost}/core/server/data/schema/schema.js"), true),
            (
                format!("{ghost}/core/server/data/migrations/init/2-create-fixtures.js"),
                true,
            ),
            (format!("{ghost}/core/server/models/session.js"), true),
            (format!("{ghost}/core/server/models/post.js"), false),
            (
                format!("{ghost}/node_modules/knex-migrator/lib/database.js"),
                true,
            ),
            (
                format!(
                    "{ghost}/node_modules/.pnpm/knex-migrator@6.2.1/node_modules/knex-migrator/package.json"
                ),
                true,
            ),
            (
                format!(
                    "{ghost}/node_modules/.pnpm/knex-migrator@6.2.1/node_modules/knex/package.json"
                ),
                true,
            ),
            (
                format!(
                    "{ghost}/node_modules/.pnpm/knex-migrator@6.2.1/node_modules/knex/lib/client.js"
                ),
                false,
            ),
            (format!("{ghost}/node_modules/express/package.json"), false),
            (
                format!("{ghost}/node_modules/express/core/server/data/schema/x.js"),
                false,
            ),
            (
                format!("{ghost}/node_modules/@tryghost/errors/package.json"),
                false,
            ),
            (format!("{ghost}/.ghostfix/receipt.json"), true),
            (format!("{ghost}/core/server/data/schema/README.md"), false),
            ("srv/node_modules/ghost/package.json".to_owned(), true),
            (
                "srv/node_modules/ghost/core/server/data/schema/schema.js".to_owned(),
                true,
            ),
            ("var/lib/ghost/config.production.json".to_owned(), true),
            ("usr/lib/node_modules/npm/package.json".to_owned(), false),
            ("usr/share/doc/x".to_owned(), false),
            ("package.json".to_owned(), true),
        ] {
            assert_eq!(wants(&path), expected, "{path}");
        }
    }
}
