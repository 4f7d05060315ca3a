//! Reads the names out of Rust source: every `use` and every inline path, followed to the crate
//! or to `crate::` where it starts. Comments, strings and lifetimes are no names.
//!
//! Not a parser: it knows tokens, braces, `mod` and `use`. A name bound twice in one file is
//! followed to both places.

use std::collections::{BTreeMap, BTreeSet};

/// A path, followed to where it starts: `crate`, or a crate's name.
#[derive(Debug)]
pub(super) struct Name {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
    pub(super) in_tests: bool,
}

#[derive(Debug, PartialEq)]
enum Kind {
    Word,
    /// `::`
    Sep,
    Other,
}

#[derive(Debug)]
struct Token {
    kind: Kind,
    text: String,
    line: usize,
}

/// Words that end no path, so that a `::` after them opens one.
const KEYWORDS: &[&str] = &[
    "as", "async", "await", "break", "const", "dyn", "else", "enum", "extern", "fn", "for", "if",
    "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "static",
    "struct", "trait", "type", "unsafe", "use", "where", "while",
];

fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let mut out: Vec<Token> = Vec::new();
    let (mut i, mut line) = (0, 1);
    while i < chars.len() {
        let from = i;
        match (at(i), at(i + 1)) {
            ('/', '/') => {
                while i < chars.len() && at(i) != '\n' {
                    i += 1;
                }
            }
            ('/', '*') => {
                let mut depth = 0;
                loop {
                    match (at(i), at(i + 1)) {
                        ('/', '*') => (depth, i) = (depth + 1, i + 2),
                        ('*', '/') => (depth, i) = (depth - 1, i + 2),
                        _ => i += 1,
                    }
                    if depth == 0 || i >= chars.len() {
                        break;
                    }
                }
            }
            ('"', _) => i = after_string(&chars, i),
            ('\'', '\\') => {
                i += 3;
                while i < chars.len() && at(i) != '\'' {
                    i += 1;
                }
                i += 1;
            }
            ('\'', _) if at(i + 2) == '\'' => i += 3,
            // A lifetime: its name is no path.
            ('\'', _) => {
                i += 1;
                while at(i).is_alphanumeric() || at(i) == '_' {
                    i += 1;
                }
            }
            (c, _) if c.is_alphabetic() || c == '_' => {
                while at(i).is_alphanumeric() || at(i) == '_' {
                    i += 1;
                }
                let word: String = chars[from..i].iter().collect();
                let hashes = (i..).take_while(|&j| at(j) == '#').count();
                match word.as_str() {
                    "r" | "br" | "cr" if at(i + hashes) == '"' => {
                        i = after_raw_string(&chars, i + hashes + 1, hashes);
                    }
                    "b" | "c" if at(i) == '"' => i = after_string(&chars, i),
                    // The name of a raw identifier is the next word.
                    "r" if hashes == 1 => i += 1,
                    _ => out.push(Token { kind: Kind::Word, text: word, line }),
                }
            }
            (':', ':') => {
                i += 2;
                out.push(Token { kind: Kind::Sep, text: "::".to_owned(), line });
            }
            (c, _) => {
                i += 1;
                if !c.is_whitespace() {
                    out.push(Token { kind: Kind::Other, text: c.to_string(), line });
                }
            }
        }
        let end = i.min(chars.len());
        line += chars[from..end].iter().filter(|c| **c == '\n').count();
    }
    out
}

/// The index behind the string whose opening quote is at `open`.
fn after_string(chars: &[char], open: usize) -> usize {
    let mut i = open + 1;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

fn after_raw_string(chars: &[char], mut i: usize, hashes: usize) -> usize {
    while i < chars.len() {
        let closes = chars[i] == '"'
            && (1..=hashes).all(|offset| chars.get(i + offset).is_some_and(|c| *c == '#'));
        if closes {
            return i + hashes + 1;
        }
        i += 1;
    }
    i
}

/// The module a file holds: `crate::adapters::sql` for `src/adapters/sql/mod.rs`.
pub(super) fn module_path(file: &str) -> Vec<String> {
    let inside = file.split_once("src/").map_or(file, |(_, inside)| inside);
    let inside = inside.trim_end_matches(".rs");
    let mut path = vec!["crate".to_owned()];
    path.extend(inside.split('/').map(str::to_owned));
    if path.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
        path.pop();
    }
    path
}

/// A path as it stands in the source, with the module it stands in.
struct Written {
    path: Vec<String>,
    line: usize,
    scope: Vec<String>,
    in_tests: bool,
    /// Brought in by `use`, under this name.
    bound: Option<String>,
    /// Begins with `::`.
    absolute: bool,
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    /// The inline modules we are in: name, depth of its brace, and whether it is test code.
    modules: Vec<(String, usize, bool)>,
    depth: usize,
    file_module: Vec<String>,
    file_is_test: bool,
    written: Vec<Written>,
    /// Modules declared in this file, with the module that declares them.
    declared: Vec<(Vec<String>, String)>,
}

pub(super) fn names(file: &str, source: &str, crates: &BTreeSet<String>) -> Vec<Name> {
    let tokens = tokens(source);
    let mut reader = Reader {
        tokens: &tokens,
        at: 0,
        modules: Vec::new(),
        depth: 0,
        file_module: module_path(file),
        // `figures.rs` measures, and is compiled with the tests alone.
        file_is_test: ["/tests.rs", "/figures.rs"].iter().any(|end| file.ends_with(end))
            || file.contains("/tests/"),
        written: Vec::new(),
        declared: Vec::new(),
    };
    reader.read();
    let Reader { written, declared, .. } = reader;

    // What a `use` binds, first as written; a name may be bound in more than one place.
    let mut bindings: BTreeMap<&str, Vec<Vec<String>>> = BTreeMap::new();
    for use_ in &written {
        if let Some(bound) = &use_.bound
            && let Some(start) = start_of(use_, &declared, &BTreeMap::new(), crates).pop()
        {
            bindings.entry(bound).or_default().push(start);
        }
    }
    let mut out = Vec::new();
    for path in &written {
        for start in start_of(path, &declared, &bindings, crates) {
            out.push(Name { path: start, line: path.line, in_tests: path.in_tests });
        }
    }
    out
}

/// Follows a written path to its start. Empty when it starts at something local.
fn start_of(
    written: &Written,
    declared: &[(Vec<String>, String)],
    bindings: &BTreeMap<&str, Vec<Vec<String>>>,
    crates: &BTreeSet<String>,
) -> Vec<Vec<String>> {
    let path = &written.path;
    let first = path[0].as_str();
    let is_crate = crates.contains(first);
    if written.absolute {
        return if is_crate { vec![path.clone()] } else { Vec::new() };
    }
    if matches!(first, "self" | "super") {
        let mut start = written.scope.clone();
        let mut rest = path.as_slice();
        while let Some(step) = rest.first().filter(|step| matches!(step.as_str(), "self" | "super"))
        {
            // `self` at the end of a `use` list was folded away by the reader.
            if step == "super" && start.len() > 1 {
                start.pop();
            }
            rest = &rest[1..];
        }
        start.extend_from_slice(rest);
        return vec![start];
    }
    if matches!(first, "crate" | "async" | "await") {
        return vec![path.clone()];
    }
    if first == "stoa" && is_crate && written.scope == ["crate"] {
        // The binary names its own library.
        return vec![std::iter::once("crate".to_owned()).chain(path[1..].to_vec()).collect()];
    }
    if declared.iter().any(|(scope, module)| module == first && written.scope.starts_with(scope)) {
        return vec![written.scope.iter().chain(path).cloned().collect()];
    }
    if let Some(bound) = bindings.get(first) {
        let whole = |start: &Vec<String>| start.iter().chain(&path[1..]).cloned().collect();
        return bound.iter().map(whole).collect();
    }
    if is_crate { vec![path.clone()] } else { Vec::new() }
}

impl Reader<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &token.text)
    }

    fn is(&self, at: usize, texts: &[&str]) -> bool {
        texts.iter().enumerate().all(|(offset, text)| self.text(at + offset) == *text)
    }

    fn is_word(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == Kind::Word)
    }

    fn scope(&self) -> Vec<String> {
        let inline = self.modules.iter().map(|(name, ..)| name.clone());
        self.file_module.iter().cloned().chain(inline).collect()
    }

    fn in_tests(&self) -> bool {
        self.file_is_test || self.modules.iter().any(|(_, _, test)| *test)
    }

    fn write(&mut self, path: Vec<String>, line: usize, bound: Option<String>, absolute: bool) {
        let (scope, in_tests) = (self.scope(), self.in_tests());
        self.written.push(Written { path, line, scope, in_tests, bound, absolute });
    }

    fn read(&mut self) {
        let mut test_attribute = false;
        while self.at < self.tokens.len() {
            let line = self.tokens[self.at].line;
            if self.is(self.at, &["#", "[", "cfg", "(", "test", ")", "]"]) {
                test_attribute = true;
                self.at += 7;
                continue;
            }
            match self.text(self.at) {
                "{" => self.depth += 1,
                "}" => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.modules.last().is_some_and(|(_, depth, _)| *depth == self.depth) {
                        self.modules.pop();
                    }
                }
                ";" => test_attribute = false,
                "mod" if self.is_word(self.at + 1) => {
                    let name = self.text(self.at + 1).to_owned();
                    self.declared.push((self.scope(), name.clone()));
                    if self.text(self.at + 2) == "{" {
                        self.modules.push((name, self.depth, test_attribute));
                        self.depth += 1;
                        self.at += 1;
                    }
                    test_attribute = false;
                    self.at += 1;
                }
                // `impl … + use<'a>` captures lifetimes and imports nothing.
                "use" if self.text(self.at + 1) != "<" => {
                    self.at += 1;
                    self.use_tree(&[], false);
                    test_attribute = false;
                    continue;
                }
                "extern" if self.text(self.at + 1) == "crate" => {
                    let name = self.text(self.at + 2).to_owned();
                    let as_ = self.text(self.at + 3) == "as";
                    let bound = if as_ { self.text(self.at + 4).to_owned() } else { name.clone() };
                    self.write(vec![name], line, Some(bound), true);
                    self.at += 3;
                    continue;
                }
                word @ ("async" | "await") => {
                    let word = word.to_owned();
                    self.write(vec![word], line, None, false);
                }
                _ => {
                    if self.inline_path() {
                        continue;
                    }
                }
            }
            self.at += 1;
        }
    }

    /// Reads `a::b::{c, d as e, f::*}` from here; stops behind it.
    fn use_tree(&mut self, prefix: &[String], absolute: bool) {
        let mut path = prefix.to_vec();
        let mut absolute = absolute;
        let line = self.tokens.get(self.at).map_or(0, |token| token.line);
        loop {
            if self.text(self.at) == "::" {
                absolute |= path.is_empty();
                self.at += 1;
            } else if self.text(self.at) == "{" {
                self.at += 1;
                while self.at < self.tokens.len() && self.text(self.at) != "}" {
                    let before = self.at;
                    self.use_tree(&path, absolute);
                    if self.text(self.at) == "," || self.at == before {
                        self.at += 1;
                    }
                }
                self.at += 1;
                return;
            } else if self.text(self.at) == "*" {
                self.at += 1;
                if !path.is_empty() {
                    self.write(path, line, None, absolute);
                }
                return;
            } else if self.is_word(self.at) && self.text(self.at) != "as" {
                let word = self.text(self.at).to_owned();
                self.at += 1;
                // `a::{self}` is `a`.
                if word != "self" || path.is_empty() {
                    path.push(word);
                }
                if self.text(self.at) != "::" {
                    break;
                }
            } else {
                break;
            }
        }
        if path.is_empty() {
            return;
        }
        let mut bound = path.last().cloned();
        if self.text(self.at) == "as" {
            bound = Some(self.text(self.at + 1).to_owned());
            self.at += 2;
        }
        self.write(path, line, bound, absolute);
    }

    /// Reads `a::b` from here, if that is what stands here.
    fn inline_path(&mut self) -> bool {
        let before = self.at.checked_sub(1).map(|before| &self.tokens[before]);
        let two_before = self.at.checked_sub(2).map_or("", |at| self.text(at));
        let continues = before.is_some_and(|token| match token.kind {
            Kind::Sep => true,
            Kind::Word => !KEYWORDS.contains(&token.text.as_str()),
            // `->` and `=>` end with the same sign as `Vec<u8>`.
            Kind::Other => token.text == ">" && !matches!(two_before, "-" | "="),
        });
        let absolute = self.text(self.at) == "::" && !continues;
        let from = self.at + usize::from(absolute);
        // A field or a method; `..path` is a path.
        let is_member = before
            .is_some_and(|token| token.kind == Kind::Sep || token.text == "." && two_before != ".");
        if !self.is_word(from) || (!absolute && is_member) {
            return false;
        }
        let line = self.tokens[from].line;
        let mut path = vec![self.text(from).to_owned()];
        let mut end = from + 1;
        while self.text(end) == "::" && self.is_word(end + 1) {
            path.push(self.text(end + 1).to_owned());
            end += 2;
        }
        // `tokio::{…}` and `a::<T>` outside `use` name at least their first word.
        if path.len() == 1 && self.text(end) != "::" && !absolute {
            return false;
        }
        self.write(path, line, None, absolute);
        self.at = end;
        true
    }
}
