//! Statements that a migration writes as SQL: what they change, by their words.
//!
//! No SQL parser: MySQL's statements say in their first words what they change. What cannot be told so is unknown.

use super::facts::{Action, Column, Columns, ForeignKey};
use tokens::{Token, tokens};

mod tokens;

#[cfg(test)]
mod tests;

/// Stands in a text for what is only known at run time.
pub(super) const UNKNOWN: char = '\u{fffd}';

/// What a statement does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Statement {
    /// It changes nothing.
    Reads,
    /// It asks for the schema or the state of the server.
    Asks,
    /// Tables (or views) and what is done to them, and how.
    Changes(Vec<(Option<String>, Action)>, Manner),
    /// It is none that is known.
    Unknown,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Manner {
    /// A condition limits them.
    pub(super) narrowed: bool,
    /// They come out of a query.
    pub(super) selects: bool,
}

/// Reads one statement.
pub(super) fn read(sql: &str) -> Statement {
    let tokens = tokens(sql);
    let words = Words { tokens: &tokens };
    words.statement()
}

/// A name, where it is known.
fn known(name: &str) -> Option<String> {
    (!name.contains(UNKNOWN) && !name.is_empty()).then(|| name.to_owned())
}

#[derive(Clone, Copy)]
struct Words<'t> {
    tokens: &'t [Token],
}

impl<'t> Words<'t> {
    fn statement(mut self) -> Statement {
        if self.skip("with") {
            // The statement proper is the first verb outside of the common tables' parentheses.
            let verb = self.outside_at().find(|(_, token)| {
                ["select", "insert", "update", "delete"]
                    .iter()
                    .any(|verb| token.is(verb))
            });
            let Some((at, _)) = verb else {
                return Statement::Unknown;
            };
            self.tokens = &self.tokens[at..];
        }
        let manner = Manner {
            narrowed: self.outside().any(|token| token.is("where")),
            selects: self.outside().any(|token| token.is("select")),
        };
        let one = |table, action| Statement::Changes(vec![(table, action)], manner);
        let Some(first) = self.next_word() else {
            return Statement::Unknown;
        };
        match first.to_ascii_lowercase().as_str() {
            "select" => Statement::Reads,
            "show" | "describe" | "explain" | "set" | "analyze" | "use" | "begin" | "commit"
            | "rollback" | "start" => Statement::Asks,
            "insert" | "replace" => {
                self.skip_any(&["ignore", "low_priority", "high_priority", "delayed", "into"]);
                let table = self.table();
                let columns = self.parenthesised();
                let and_others = columns.is_empty();
                one(
                    table,
                    Action::Insert(Columns {
                        names: columns,
                        and_others,
                        ..Columns::default()
                    }),
                )
            }
            "update" => {
                self.skip_any(&["ignore", "low_priority"]);
                let table = self.table();
                one(table, Action::Update(self.assigned()))
            }
            "delete" => {
                let from = self.outside().position(|token| token.is("from"));
                let aliases = from.unwrap_or_default();
                let target = self.tokens.first().and_then(Token::name).map(str::to_owned);
                while !self.skip("from") && !self.tokens.is_empty() {
                    self.tokens = &self.tokens[1..];
                }
                let tables = self;
                let table = self.table();
                let table = match target {
                    Some(alias) if aliases > 0 => tables.meant_by(&alias).or(table),
                    _ => table,
                };
                one(table, Action::Delete)
            }
            "truncate" => {
                self.skip("table");
                one(self.table(), Action::Truncate)
            }
            "create" => self.create(),
            "drop" => self.dropping(),
            "rename" => {
                self.skip("table");
                let from = self.table();
                self.skip("to");
                match self.table() {
                    Some(to) => one(from, Action::RenameTable(to)),
                    None => Statement::Unknown,
                }
            }
            "alter" => self.alter(),
            _ => Statement::Unknown,
        }
    }

    fn create(mut self) -> Statement {
        let one = |table, action| Statement::Changes(vec![(table, action)], Manner::default());
        if self.tokens.iter().take(8).any(|token| token.is("view")) {
            while !self.skip("view") && !self.tokens.is_empty() {
                self.tokens = &self.tokens[1..];
            }
            return one(self.table(), Action::CreateView);
        }
        let unique = self.skip("unique");
        if self.skip("index") {
            while !self.skip("on") && !self.tokens.is_empty() {
                self.tokens = &self.tokens[1..];
            }
            let table = self.table();
            let columns = self.parenthesised();
            let action = if unique {
                Action::AddUnique(columns)
            } else {
                Action::AddIndex(columns)
            };
            return one(table, action);
        }
        self.skip("temporary");
        if self.skip("table") {
            self.skip_any(&["if", "not", "exists"]);
            return one(self.table(), Action::CreateTable);
        }
        Statement::Unknown
    }

    fn dropping(mut self) -> Statement {
        let one = |table, action| Statement::Changes(vec![(table, action)], Manner::default());
        self.skip("temporary");
        if self.skip("table") {
            self.skip_any(&["if", "exists"]);
            return one(self.table(), Action::DropTable);
        }
        if self.skip("view") {
            self.skip_any(&["if", "exists"]);
            return one(self.table(), Action::DropView);
        }
        if self.skip("index") {
            let name = self.table();
            self.skip("on");
            return one(self.table(), Action::DropIndex(name.into_iter().collect()));
        }
        Statement::Unknown
    }

    fn alter(mut self) -> Statement {
        if self.skip("view") {
            return Statement::Changes(vec![(self.table(), Action::CreateView)], Manner::default());
        }
        if !self.skip("table") {
            return Statement::Unknown;
        }
        let table = self.table();
        let mut changes = Vec::new();
        for clause in self.clauses() {
            match (Words { tokens: clause }).clause() {
                Clause::Means(action) => changes.push((table.clone(), action)),
                Clause::Manner => {}
                Clause::Unknown => return Statement::Unknown,
            }
        }
        Statement::Changes(changes, Manner::default())
    }

    fn clause(mut self) -> Clause {
        let Some(first) = self.next_word() else {
            return Clause::Unknown;
        };
        let means = |action| Clause::Means(action);
        match first.to_ascii_lowercase().as_str() {
            "algorithm" | "lock" | "force" => Clause::Manner,
            "add" => self.adding(),
            "drop" => {
                if self.skip("foreign") {
                    self.skip("key");
                    return means(Action::DropForeignKey(self.table().into_iter().collect()));
                }
                if self.skip("primary") {
                    return means(Action::DropPrimaryKey);
                }
                if self.skip("index") || self.skip("key") {
                    return means(Action::DropIndex(self.table().into_iter().collect()));
                }
                self.skip("column");
                self.table()
                    .map_or(Clause::Unknown, |name| means(Action::DropColumn(name)))
            }
            "modify" | "alter" => {
                self.skip("column");
                self.table()
                    .map_or(Clause::Unknown, |name| means(Action::AlterColumn(name)))
            }
            "change" => {
                self.skip("column");
                match (self.table(), self.table()) {
                    (Some(from), Some(to)) if from == to => means(Action::AlterColumn(from)),
                    (Some(from), Some(to)) => means(Action::RenameColumn(from, to)),
                    _ => Clause::Unknown,
                }
            }
            "rename" => {
                if self.skip("column") {
                    let from = self.table();
                    self.skip("to");
                    return match (from, self.table()) {
                        (Some(from), Some(to)) => means(Action::RenameColumn(from, to)),
                        _ => Clause::Unknown,
                    };
                }
                if self.skip("index") || self.skip("key") {
                    return means(Action::AlterTable);
                }
                self.skip_any(&["to", "as"]);
                self.table()
                    .map_or(Clause::Unknown, |to| means(Action::RenameTable(to)))
            }
            "convert" | "default" | "character" | "collate" | "engine" | "comment"
            | "auto_increment" | "row_format" => means(Action::AlterTable),
            _ => Clause::Unknown,
        }
    }

    fn adding(mut self) -> Clause {
        let means = |action| Clause::Means(action);
        if self.skip("constraint")
            && !["foreign", "unique", "primary"]
                .iter()
                .any(|word| self.tokens.first().is_some_and(|token| token.is(word)))
        {
            self.table();
        }
        if self.skip("foreign") {
            self.skip("key");
            while !matches!(self.tokens.first(), Some(Token::Sign('(')) | None) {
                self.tokens = &self.tokens[1..];
            }
            let columns = self.parenthesised();
            let on_delete = self.on_delete();
            self.skip("references");
            let parent = self.table();
            let parents = self.parenthesised();
            return match (columns.first(), parent, parents.first()) {
                (Some(column), Some(parent), Some(parent_column)) => {
                    means(Action::AddForeignKey(ForeignKey {
                        column: column.clone(),
                        parent,
                        parent_column: parent_column.clone(),
                        on_delete,
                    }))
                }
                _ => Clause::Unknown,
            };
        }
        if self.skip("primary") {
            self.skip("key");
            return means(Action::AddPrimaryKey(self.parenthesised()));
        }
        let unique = self.skip("unique");
        let fulltext = self.skip("fulltext");
        let index = self.skip("index") || self.skip("key");
        if unique || fulltext || index {
            while !matches!(self.tokens.first(), Some(Token::Sign('(')) | None) {
                self.tokens = &self.tokens[1..];
            }
            let columns = self.parenthesised();
            return means(if unique {
                Action::AddUnique(columns)
            } else {
                Action::AddIndex(columns)
            });
        }
        self.skip("column");
        let Some(name) = self.table() else {
            return Clause::Unknown;
        };
        let kind = self.tokens.first().and_then(Token::name).and_then(known);
        means(Action::AddColumn(Column { name, kind }))
    }

    fn on_delete(self) -> Option<String> {
        let mut words = self;
        while !words.tokens.is_empty() {
            if words.skip("on") && words.skip("delete") {
                let first = words.next_word()?.to_ascii_uppercase();
                return Some(if first == "SET" || first == "NO" {
                    format!("{first} {}", words.next_word()?.to_ascii_uppercase())
                } else {
                    first
                });
            }
            words.tokens = words.tokens.get(1..)?;
        }
        None
    }

    /// The columns of `SET a = …, b = …`.
    fn assigned(mut self) -> Columns {
        while !self.skip("set") && !self.tokens.is_empty() {
            self.tokens = &self.tokens[1..];
        }
        let end = self
            .outside_at()
            .find(|(_, token)| {
                ["where", "order", "limit"]
                    .iter()
                    .any(|word| token.is(word))
            })
            .map_or(self.tokens.len(), |(at, _)| at);
        let mut columns = Columns::default();
        let assignments = Words {
            tokens: &self.tokens[..end],
        };
        for clause in assignments.clauses() {
            // `alias.column = …` names the table first.
            let left = clause
                .iter()
                .take_while(|token| **token != Token::Sign('='));
            match left.last().and_then(Token::name).and_then(known) {
                Some(name) => columns.names.push(name),
                None => columns.and_others = true,
            }
        }
        columns.and_others |= columns.names.is_empty();
        columns
    }

    /// The table that an alias stands for in `table AS alias JOIN …`.
    fn meant_by(self, alias: &str) -> Option<String> {
        let names: Vec<&Token> = self.tokens.iter().filter(|token| !token.is("as")).collect();
        names.windows(2).find_map(|pair| {
            (pair[1].name() == Some(alias) && !pair[0].is("from"))
                .then(|| pair[0].name())
                .flatten()
                .and_then(known)
        })
    }

    /// The tokens outside of all parentheses, with their places.
    fn outside_at(self) -> impl Iterator<Item = (usize, &'t Token)> {
        let mut depth = 0_usize;
        self.tokens.iter().enumerate().filter(move |(_, token)| {
            match token {
                Token::Sign('(') => depth += 1,
                Token::Sign(')') => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        })
    }

    fn outside(self) -> impl Iterator<Item = &'t Token> {
        self.outside_at().map(|(_, token)| token)
    }

    /// The parts between commas.
    fn clauses(self) -> Vec<&'t [Token]> {
        let mut commas: Vec<usize> = self
            .outside_at()
            .filter(|(_, token)| matches!(token, Token::Sign(',' | ';')))
            .map(|(at, _)| at)
            .collect();
        commas.push(self.tokens.len());
        let mut start = 0;
        let mut clauses = Vec::new();
        for end in commas {
            if start < end {
                clauses.push(&self.tokens[start..end]);
            }
            start = end + 1;
        }
        clauses
    }

    fn next_word(&mut self) -> Option<&'t str> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        first.name()
    }

    fn skip(&mut self, word: &str) -> bool {
        match self.tokens.split_first() {
            Some((first, rest)) if first.is(word) => {
                self.tokens = rest;
                true
            }
            _ => false,
        }
    }

    fn skip_any(&mut self, words: &[&str]) {
        while words.iter().any(|word| self.skip(word)) {}
    }

    /// A table's name, after that of its database where there is one.
    fn table(&mut self) -> Option<String> {
        let (first, rest) = self.tokens.split_first()?;
        let mut name = first.name()?;
        self.tokens = rest;
        if let [Token::Sign('.'), second, rest @ ..] = self.tokens {
            name = second.name()?;
            self.tokens = rest;
        }
        known(name)
    }

    /// The names in the parentheses that open here.
    fn parenthesised(&mut self) -> Vec<String> {
        let [Token::Sign('('), rest @ ..] = self.tokens else {
            return Vec::new();
        };
        let mut names = Vec::new();
        let mut depth = 1_usize;
        for (at, token) in rest.iter().enumerate() {
            match token {
                Token::Sign('(') => depth += 1,
                Token::Sign(')') => depth -= 1,
                _ if depth == 1 => names.extend(token.name().and_then(known)),
                _ => {}
            }
            if depth == 0 {
                self.tokens = &rest[at + 1..];
                break;
            }
        }
        names
    }
}

enum Clause {
    Means(Action),
    /// How it is to be done, not what.
    Manner,
    Unknown,
}
