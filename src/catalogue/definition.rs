//! A patch as data: what `patch.toml` and `cases.toml` of a patch's folder say, as types.
//!
//! Unknown fields are refused, so a slip in a patch fails the first test that reads the catalogue.

use std::fmt;

use serde::Deserialize;

/// The kinds of database that patches are chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// PlanetScale: Vitess behind an edge that loses error states. The default.
    Planetscale,
    /// Vitess spoken to directly.
    Vitess,
    /// MySQL or MariaDB.
    Mysql,
}

impl Profile {
    /// All profiles, in the order of the contract.
    pub const ALL: [Self; 3] = [Self::Planetscale, Self::Vitess, Self::Mysql];

    /// The word that is typed and printed.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Planetscale => "planetscale",
            Self::Vitess => "vitess",
            Self::Mysql => "mysql",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.word())
    }
}

/// `patch.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Definition {
    /// The folder's name, kebab-case; stable.
    pub id: String,
    /// What the patch does, in one line.
    pub title: String,
    /// What happens without it, in one or two sentences.
    pub why: String,
    /// The profiles that select it.
    pub profiles: Vec<Profile>,
    /// The file it is made in.
    pub target: Target,
    /// What must occur in the file for the patch to make sense; where it does not, the state is `not-needed`.
    #[serde(default)]
    pub needed: Vec<Rule>,
    /// The known shapes of the code, the most telling first.
    #[serde(rename = "shape")]
    pub shapes: Vec<Shape>,
    /// The edits that shapes refer to.
    #[serde(rename = "edit")]
    pub edits: Vec<EditDefinition>,
    /// What a hand edit for the same purpose leaves in a file.
    #[serde(default)]
    pub traces: Vec<Rule>,
    /// Where the facts come from.
    #[serde(default)]
    pub links: Vec<String>,
}

/// The file that a patch is made in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Target {
    /// The npm package.
    pub package: String,
    /// The file, relative to the package; where versions differ, each path that was ever used, newest first.
    pub files: Vec<String>,
    /// Semver range of package versions that have the file; elsewhere its absence is `not-needed`, not `missing`.
    #[serde(default)]
    pub since: Option<String>,
}

/// One known shape of the code.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Shape {
    /// Reported as `shape`; also the name of the example under `shapes/`.
    pub id: String,
    /// The node that is edited. In a pattern, `$ANCHOR` marks it where it is not the whole.
    pub anchor: Rule,
    /// What must stand around the anchor, from the inside out.
    #[serde(default)]
    pub inside: Vec<Rule>,
    /// Which edit is made.
    pub edit: String,
}

/// A condition on a node. All that is given must hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// JavaScript in which `$NAME` stands for any node and `$$$` for any run of nodes.
    #[serde(default)]
    pub pattern: Option<String>,
    /// An object's property of this name.
    #[serde(default)]
    pub property: Option<String>,
    /// With `property`: a pattern for its value.
    #[serde(default)]
    pub value: Option<String>,
    /// A string, template or regular expression that contains this text, case ignored.
    #[serde(default)]
    pub text: Option<String>,
    /// A text that some string or template within the node contains, case ignored.
    #[serde(default)]
    pub mentions: Option<String>,
}

/// How a node is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EditKind {
    /// Something is put beside the node: an operand, a statement.
    Insert,
    /// Something else takes the node's place.
    Replace,
    /// Something is put around the node.
    Wrap,
}

/// One edit: what the anchor becomes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EditDefinition {
    /// Referred to by shapes.
    pub id: String,
    /// Insert, replace or wrap.
    pub kind: EditKind,
    /// Changes whenever the template does.
    pub revision: String,
    /// JavaScript with the names that the shape bound; `$ANCHOR` is the node itself, absent in a replacement.
    pub template: String,
    /// For a replacement: JavaScript that gives the original back.
    #[serde(default)]
    pub original: Option<String>,
    /// What earlier releases of ghostfix put there, newest first.
    #[serde(default)]
    pub earlier: Vec<EarlierEdit>,
}

/// An edit that an earlier ghostfix made.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EarlierEdit {
    /// Its revision.
    pub revision: String,
    /// Its template.
    pub template: String,
}

/// `cases.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cases {
    /// In the order in which they are reported.
    #[serde(rename = "case")]
    pub cases: Vec<Case>,
}

/// One behaviour case: what the harness is given, and what the code must do.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    /// Unique within the patch; shown to the user.
    pub name: String,
    /// Passed to the harness as it is.
    #[serde(default)]
    pub given: toml::Table,
    /// Whether the patch is there to change this case; every other case must be as before, to the last detail.
    #[serde(default)]
    pub changes: bool,
    /// With `changes`: the name of the case that it must become like, as that one was before, to the last detail.
    #[serde(default)]
    pub like: Option<String>,
    /// What the harness must observe with the patch: these fields, with these values.
    pub after: toml::Table,
    /// For somebody else's edit: what is accepted beside `after`.
    #[serde(default)]
    pub by_hand: Option<toml::Table>,
}
