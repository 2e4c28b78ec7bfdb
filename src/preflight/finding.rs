//! What a check comes to.

use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Looked at, and fine.
    Passed,
    /// Worth knowing; nothing to do.
    Notice,
    /// It cannot be told.
    Unknown,
    /// It works, or may work, but not well.
    Warning,
    /// Ghost will not start, or will fail in use.
    Error,
}

impl Level {
    /// The word of the contract.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Notice => "notice",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What an error does to Ghost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It does not start.
    DoesNotStart,
    /// It starts, and fails in use.
    FailsInUse,
}

/// A question that was asked, and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What was asked.
    pub asked: String,
    /// What came back.
    pub answered: String,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check's id.
    pub id: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What it is, in one sentence for anybody.
    pub title: String,
    /// What was asked, and what came back.
    pub evidence: Vec<Evidence>,
    /// What to do, ready to paste; empty where there is nothing to do.
    pub fix: String,
    /// What an error does to Ghost.
    pub effect: Option<Effect>,
    /// Told by documentation, not by this database.
    pub from_documentation: bool,
    /// The reason for which a team lives with it.
    pub accepted: Option<String>,
}

impl Finding {
    /// A finding without evidence or fix yet. The id is set by who runs the check.
    #[must_use]
    pub fn new(level: Level, title: impl Into<String>) -> Self {
        Self {
            id: "",
            level,
            title: title.into(),
            evidence: Vec::new(),
            fix: String::new(),
            effect: (level == Level::Error).then_some(Effect::DoesNotStart),
            from_documentation: false,
            accepted: None,
        }
    }

    /// Fine.
    #[must_use]
    pub fn passed(title: impl Into<String>) -> Self {
        Self::new(Level::Passed, title)
    }

    /// Worth knowing.
    #[must_use]
    pub fn notice(title: impl Into<String>) -> Self {
        Self::new(Level::Notice, title)
    }

    /// It cannot be told.
    #[must_use]
    pub fn unknown(title: impl Into<String>) -> Self {
        Self::new(Level::Unknown, title)
    }

    /// It works, but not well.
    #[must_use]
    pub fn warning(title: impl Into<String>) -> Self {
        Self::new(Level::Warning, title)
    }

    /// Ghost will not start.
    #[must_use]
    pub fn error(title: impl Into<String>) -> Self {
        Self::new(Level::Error, title)
    }

    /// Ghost starts, and fails in use.
    #[must_use]
    pub fn fails_in_use(title: impl Into<String>) -> Self {
        Self {
            effect: Some(Effect::FailsInUse),
            ..Self::error(title)
        }
    }

    /// With a question and its answer.
    #[must_use]
    pub fn seen(mut self, asked: impl Into<String>, answered: impl Into<String>) -> Self {
        self.evidence.push(Evidence {
            asked: asked.into(),
            answered: answered.into(),
        });
        self
    }

    /// With what to do.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = fix.into();
        self
    }

    /// Told by documentation.
    #[must_use]
    pub fn documented(mut self) -> Self {
        self.from_documentation = true;
        self
    }
}
