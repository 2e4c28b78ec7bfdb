//! The files of an image as its layers leave them: what is kept of them, and every link that leads there.
//!
//! Layers come lowest first. A whiteout takes away what lower layers put there, never what its own layer does.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::ghost::failure::Failure;

/// No path of an honest image goes through more links.
const LINKS: usize = 40;

/// Something at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A file that is kept.
    File {
        /// Its bytes.
        bytes: Arc<[u8]>,
        /// Its permission bits.
        mode: u32,
    },
    /// A symbolic link and what it says.
    Link(String),
}

/// The kept part of a file system. Paths have no slash at their start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    nodes: BTreeMap<String, Node>,
}

/// What one layer does, in its own paths.
#[derive(Debug, Default)]
pub(super) struct Layer {
    /// Paths that lower layers have and the image does not.
    pub(super) whiteouts: Vec<String>,
    /// Directories of which nothing in lower layers counts.
    pub(super) opaque: Vec<String>,
    /// In the order of the archive.
    pub(super) entries: Vec<(String, Change)>,
}

/// What a layer puts at a path.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// A kept file, or a link.
    Put(Node),
    /// Another name for a file of this layer or a lower one.
    HardLink(String),
    /// A directory: what is below it stays, a link in its place goes.
    Directory,
    /// A file that is not kept, a device, a socket: whatever was there is gone.
    Other,
}

impl Tree {
    /// A tree that was taken apart before.
    pub(in crate::ghost) fn from_nodes(nodes: BTreeMap<String, Node>) -> Self {
        Self { nodes }
    }

    /// Puts a layer on top.
    ///
    /// `Err` only for paths that go round in circles. Hard links to files that are not kept are returned: path and target.
    pub(super) fn apply(&mut self, layer: Layer) -> Result<Vec<(String, String)>, Failure> {
        for path in layer.opaque {
            let path = self.place(&path)?;
            self.remove_below(&path);
        }
        for path in layer.whiteouts {
            let path = self.place(&path)?;
            self.remove(&path);
        }
        let mut missing = Vec::new();
        for (path, change) in layer.entries {
            let path = self.place(&path)?;
            match change {
                Change::Put(node) => {
                    self.remove(&path);
                    self.nodes.insert(path, node);
                }
                Change::Directory => {
                    self.nodes.remove(&path);
                }
                Change::Other => self.remove(&path),
                Change::HardLink(target) => {
                    let target = self.place(&target)?;
                    let node = self.nodes.get(&target).cloned();
                    self.remove(&path);
                    match node {
                        Some(node) => {
                            self.nodes.insert(path, node);
                        }
                        None => missing.push((path, target)),
                    }
                }
            }
        }
        Ok(missing)
    }

    fn remove(&mut self, path: &str) {
        self.nodes.remove(path);
        self.remove_below(path);
    }

    fn remove_below(&mut self, path: &str) {
        if path.is_empty() {
            self.nodes.clear();
            return;
        }
        // '0' is the character after '/'.
        let below: Vec<String> = self
            .nodes
            .range(format!("{path}/")..format!("{path}0"))
            .map(|(path, _)| path.clone())
            .collect();
        for path in below {
            self.nodes.remove(&path);
        }
    }

    /// Where a path is: links on the way are followed, a link at its end is not.
    fn place(&self, path: &str) -> Result<String, Failure> {
        match path.rsplit_once('/') {
            Some((parent, name)) => {
                let parent = self.resolved(parent).ok_or_else(|| Failure::Damaged {
                    why: format!("the links on the way to {path} go round in circles"),
                })?;
                Ok(if parent.is_empty() {
                    name.to_owned()
                } else {
                    format!("{parent}/{name}")
                })
            }
            None => Ok(path.to_owned()),
        }
    }

    /// The path behind all links, whether or not there is anything. `None`: the links go round in circles.
    #[must_use]
    pub fn resolved(&self, path: &str) -> Option<String> {
        let mut left: Vec<String> = parts(path).rev().map(str::to_owned).collect();
        let mut done: Vec<String> = Vec::new();
        let mut followed = 0;
        while let Some(part) = left.pop() {
            match part.as_str() {
                ".." => {
                    // Above the root is the root.
                    done.pop();
                }
                _ => {
                    done.push(part);
                    if let Some(Node::Link(target)) = self.nodes.get(&done.join("/")) {
                        followed += 1;
                        if followed > LINKS {
                            return None;
                        }
                        done.pop();
                        if target.starts_with('/') {
                            done.clear();
                        }
                        left.extend(parts(target).rev().map(str::to_owned));
                    }
                }
            }
        }
        Some(done.join("/"))
    }

    /// The bytes of the file at `path`, links followed.
    #[must_use]
    pub fn read(&self, path: &str) -> Option<&[u8]> {
        match self.nodes.get(&self.resolved(path)?)? {
            Node::File { bytes, .. } => Some(bytes),
            Node::Link(_) => None,
        }
    }

    /// Everything that is kept, by path.
    pub fn nodes(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.nodes.iter().map(|(path, node)| (path.as_str(), node))
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Takes out links that lead to nothing that is kept: an image has tens of thousands of them. The one that must lead
    /// to Ghost stays, to be told, with those that it may go through: ghost-cli's `current` beside `versions`.
    pub(super) fn prune(&mut self) {
        let is_ghosts = |path: &str| {
            let name = path.rsplit('/').next().unwrap_or(path);
            let versions = format!("{}versions/", &path[..path.len() - name.len()]);
            let mut below = self.nodes.range(versions.clone()..);
            below
                .next()
                .is_some_and(|(path, _)| path.starts_with(&versions))
        };
        let leads_somewhere = |path: &str| {
            let Some(target) = self.resolved(path) else {
                return false;
            };
            let is_file = matches!(self.nodes.get(&target), Some(Node::File { .. }));
            // A directory with something in it that is more than another link.
            let below = format!("{target}/");
            is_file
                || (!target.is_empty()
                    && self
                        .nodes
                        .range(below.clone()..)
                        .take_while(|(path, _)| path.starts_with(&below))
                        .any(|(_, node)| matches!(node, Node::File { .. })))
        };
        let dead: Vec<String> = self
            .nodes
            .iter()
            .filter(|(path, node)| {
                matches!(node, Node::Link(_)) && !leads_somewhere(path) && !is_ghosts(path)
            })
            .map(|(path, _)| path.clone())
            .collect();
        for path in dead {
            self.nodes.remove(&path);
        }
    }

    /// Writes what is kept below an empty directory, so that it can be looked at like an installation.
    ///
    /// Links stay links, and stay within: those that begin at the root or climb over it are turned into relative ones
    /// to the place that they mean in the image.
    pub fn write_below(&self, directory: &Path) -> Result<()> {
        for (path, node) in &self.nodes {
            let place = directory.join(path);
            let failed = |error| Error::file_system("write", &place, error);
            if let Some(parent) = place.parent() {
                std::fs::create_dir_all(parent).map_err(failed)?;
            }
            match node {
                Node::File { bytes, .. } => std::fs::write(&place, bytes).map_err(failed)?,
                Node::Link(target) => {
                    std::os::unix::fs::symlink(self.target_within(path, target), &place)
                        .map_err(failed)?;
                }
            }
        }
        Ok(())
    }

    /// A link's text that means the same below any directory.
    fn target_within(&self, path: &str, target: &str) -> String {
        let depth = path.matches('/').count();
        let leading = parts(target).take_while(|part| *part == "..").count();
        let climbs_later = parts(target).skip(leading).any(|part| part == "..");
        if !target.starts_with('/') && leading <= depth && !climbs_later {
            return target.to_owned();
        }
        let up = "../".repeat(depth);
        match self.resolved(path) {
            Some(resolved) if climbs_later || leading > depth => format!("{up}{resolved}"),
            Some(_) => format!("{up}{}", parts(target).collect::<Vec<_>>().join("/")),
            // A circle stays a circle of its own.
            None => path.rsplit('/').next().unwrap_or(path).to_owned(),
        }
    }
}

fn parts(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split('/')
        .filter(|part| !part.is_empty() && *part != ".")
}

#[cfg(test)]
mod tests {
    use super::{Change, Layer, Node, Tree};

    fn file(text: &str) -> Change {
        Change::Put(Node::File {
            bytes: text.as_bytes().into(),
            mode: 0o644,
        })
    }

    fn link(target: &str) -> Change {
        Change::Put(Node::Link(target.to_owned()))
    }

    fn hard(target: &str) -> Change {
        Change::HardLink(target.to_owned())
    }

    fn layer(entries: &[(&str, Change)]) -> Layer {
        let entries = entries
            .iter()
            .map(|(path, change)| ((*path).to_owned(), change.clone()))
            .collect();
        Layer {
            entries,
            ..Layer::default()
        }
    }

    fn tree(layers: Vec<Layer>) -> Tree {
        let mut tree = Tree::default();
        for layer in layers {
            tree.apply(layer).expect("no circles");
        }
        tree
    }

    fn shown(tree: &Tree) -> Vec<String> {
        tree.nodes()
            .map(|(path, node)| match node {
                Node::File { bytes, .. } => format!("{path}={}", String::from_utf8_lossy(bytes)),
                Node::Link(target) => format!("{path}->{target}"),
            })
            .collect()
    }

    #[test]
    fn upper_layers_win() {
        let lower = layer(&[
            ("a/x", file("1")),
            ("a/y", file("1")),
            ("b/z", file("1")),
            ("c", link("b")),
        ]);
        let upper = layer(&[
            ("a/x", file("2")),
            ("a/y", Change::Other),
            ("b", file("no directory any more")),
            ("c", Change::Directory),
        ]);
        assert_eq!(
            shown(&tree(vec![lower, upper])),
            ["a/x=2", "b=no directory any more"]
        );
    }

    #[test]
    fn whiteouts_hide_lower_layers_only() {
        let lower = || {
            layer(&[
                ("a/x", file("1")),
                ("a/y/z", file("1")),
                ("a/yy", file("1")),
                ("b", file("1")),
            ])
        };
        let whiteouts = |paths: &[&str], opaque: &[&str], entries: &[(&str, Change)]| Layer {
            whiteouts: paths.iter().map(|path| (*path).to_owned()).collect(),
            opaque: opaque.iter().map(|path| (*path).to_owned()).collect(),
            ..layer(entries)
        };
        assert_eq!(
            shown(&tree(vec![lower(), whiteouts(&["a/y"], &[], &[])])),
            ["a/x=1", "a/yy=1", "b=1"]
        );
        assert_eq!(
            shown(&tree(vec![
                lower(),
                whiteouts(&["a/x"], &[], &[("a/x", file("2"))])
            ])),
            ["a/x=2", "a/y/z=1", "a/yy=1", "b=1"]
        );
        assert_eq!(
            shown(&tree(vec![
                lower(),
                whiteouts(&[], &["a"], &[("a/n", file("2"))])
            ])),
            ["a/n=2", "b=1"]
        );
        assert_eq!(
            shown(&tree(vec![
                lower(),
                whiteouts(&[], &[""], &[("n", file("2"))])
            ])),
            ["n=2"]
        );
    }

    #[test]
    fn hard_links_share_a_file_across_layers() {
        let mut tree = tree(vec![layer(&[
            ("store/1", file("x")),
            ("a", hard("store/1")),
        ])]);
        let missing = tree
            .apply(layer(&[("b", hard("a")), ("c", hard("store/2"))]))
            .expect("no circles");
        assert_eq!(shown(&tree), ["a=x", "b=x", "store/1=x"]);
        assert_eq!(missing, [("c".to_owned(), "store/2".to_owned())]);
        tree.apply(layer(&[("a", file("changed"))]))
            .expect("no circles");
        assert_eq!(
            tree.read("b"),
            Some(&b"x"[..]),
            "a new file of that name is another file"
        );
    }

    #[test]
    fn links_are_followed_within_the_image() {
        let tree = tree(vec![
            layer(&[
                ("var/lib/ghost/versions/6/lib/x.js", file("x")),
                ("var/lib/ghost/current", link("/var/lib/ghost/versions/6")),
                ("srv", link("var/../../../var/lib")),
                ("loop", link("loop")),
            ]),
            layer(&[("srv/ghost/current/lib/y.js", file("y"))]),
        ]);
        assert_eq!(
            tree.resolved("srv/ghost/current/lib").as_deref(),
            Some("var/lib/ghost/versions/6/lib")
        );
        assert_eq!(tree.read("/srv/ghost/current/lib/x.js"), Some(&b"x"[..]));
        assert_eq!(
            tree.read("var/lib/ghost/versions/6/lib/y.js"),
            Some(&b"y"[..]),
            "written through a link"
        );
        assert_eq!(tree.resolved("loop/x"), None);
        assert_eq!(tree.read("var/lib/ghost/current"), None);
        let mut circular = tree.clone();
        assert!(circular.apply(layer(&[("loop/x", file("x"))])).is_err());
    }

    #[test]
    fn links_to_nothing_are_pruned() {
        let mut tree = tree(vec![layer(&[
            ("a/file", file("x")),
            ("to-file", link("a/file")),
            ("to-directory", link("a")),
            ("to-link", link("to-directory")),
            ("root", link("/")),
            ("dead", link("nowhere")),
            ("loop", link("loop")),
            ("ghost/current", link("other")),
            ("ghost/other", link("current")),
            ("ghost/versions/6.65.0/package.json", file("x")),
        ])]);
        tree.prune();
        assert_eq!(
            shown(&tree),
            [
                "a/file=x",
                "ghost/current->other",
                "ghost/other->current",
                "ghost/versions/6.65.0/package.json=x",
                "to-directory->a",
                "to-file->a/file",
                "to-link->to-directory"
            ]
        );
    }

    #[test]
    fn what_is_written_out_means_the_same_and_nothing_outside() {
        let tree = tree(vec![layer(&[
            ("etc/passwd", file("the image's")),
            ("a/b/absolute", link("/etc/passwd")),
            (
                "a/b/climbing",
                link("../../../../../../../../../../../etc/passwd"),
            ),
            ("a/b/odd", link("../b/../../etc/passwd")),
            ("a/b/plain", link("../../etc/passwd")),
            ("a/b/loop", link("/a/b/loop")),
            ("a/root", link("/")),
        ])]);
        let directory = tempfile::tempdir().expect("a directory");
        tree.write_below(directory.path()).expect("written");
        for name in ["absolute", "climbing", "odd", "plain"] {
            let path = directory.path().join("a/b").join(name);
            assert_eq!(
                std::fs::read_to_string(&path).expect(name),
                "the image's",
                "{name}"
            );
            assert!(
                path.canonicalize()
                    .expect(name)
                    .starts_with(directory.path().canonicalize().expect("there"))
            );
        }
        let root = directory
            .path()
            .join("a/root")
            .canonicalize()
            .expect("there");
        assert_eq!(root, directory.path().canonicalize().expect("there"));
        assert!(std::fs::read(directory.path().join("a/b/loop")).is_err());
    }
}
