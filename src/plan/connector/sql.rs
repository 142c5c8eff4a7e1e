//! SQL text with its bind names: parsed once, so that a value can only ever be bound, never spliced.
//!
//! The text is not understood beyond its quotes, comments, first word and binds; the database does that. What a statement
//! may not contain is refused here: templates, several statements, binds in other notations, schema changes.

use std::ops::Range;

/// A statement that can be bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sql {
    /// The text and the binds, in order.
    pub pieces: Vec<Piece>,
    /// Whether it changes rows.
    pub writes: bool,
}

/// A piece of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text as written.
    Text(String),
    /// A value.
    Bind(Bind),
    /// `[[ … ]]`: stands only when every value in it is there.
    Optional(Vec<Piece>),
}

/// A value in a statement: `:name` or `:name.field`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind {
    /// The name and the fields below it.
    pub path: Vec<String>,
    /// Where it stands, in bytes of the source, with its colon.
    pub range: Range<usize>,
}

/// Why a text is not a statement that can be bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: &'static str,
    /// Where, in bytes of the source.
    pub range: Range<usize>,
}

const BINDS: &str = "write `:name` for an input or an earlier result, `:name.field` for a part of it";
const ONE: &str = "write each statement as a step of its own under `steps`";

impl Sql {
    /// Parses a statement.
    ///
    /// # Errors
    /// The first thing that cannot stand in it.
    pub fn parse(source: &str) -> Result<Self, Refused> {
        if let Some(at) = source.find("{{").or_else(|| source.find("{%")) {
            return Err(refused(
                "a template cannot stand in `sql`: a value would be spliced into the statement",
                BINDS,
                at,
                2,
            ));
        }
        let mut scanner = Scanner { source, at: 0, text_from: 0, pieces: Vec::new(), optional: None, words: Vec::new() };
        scanner.run()?;
        let writes = kind_of(&scanner.words).map_err(|message| refused(message, ONE_KIND, 0, source.len()))?;
        Ok(Self { pieces: scanner.pieces, writes })
    }

    /// Every bind, those in optional conditions included.
    pub fn binds(&self) -> impl Iterator<Item = &Bind> {
        self.pieces
            .iter()
            .flat_map(|piece| match piece {
                Piece::Optional(inner) => inner.as_slice(),
                other => std::slice::from_ref(other),
            })
            .filter_map(|piece| match piece {
                Piece::Bind(bind) => Some(bind),
                _ => None,
            })
    }
}

const ONE_KIND: &str =
    "a statement begins with select, with, values, insert, update, delete, merge or replace; schemas belong in `tables`";

fn kind_of(words: &[String]) -> Result<bool, String> {
    let is = |word: &str, of: &[&str]| of.iter().any(|candidate| word.eq_ignore_ascii_case(candidate));
    match words.first().map(String::as_str) {
        Some(first) if is(first, &["insert", "update", "delete", "merge", "replace"]) => Ok(true),
        Some(first) if is(first, &["select", "values"]) => Ok(false),
        Some(first) if is(first, &["with"]) => {
            Ok(words.iter().any(|word| is(word, &["insert", "update", "delete", "merge"])))
        }
        Some(first) => Err(format!("an operation cannot run `{}` statements", first.to_lowercase())),
        None => Err("the statement is empty".to_owned()),
    }
}

fn refused(message: impl Into<String>, help: &'static str, at: usize, length: usize) -> Refused {
    Refused { message: message.into(), help, range: at..at + length }
}

struct Scanner<'a> {
    source: &'a str,
    at: usize,
    text_from: usize,
    pieces: Vec<Piece>,
    /// Where an open `[[` stands, and what it holds so far.
    optional: Option<(usize, Vec<Piece>)>,
    words: Vec<String>,
}

impl Scanner<'_> {
    fn run(&mut self) -> Result<(), Refused> {
        while let Some(next) = self.rest().chars().next() {
            match next {
                '\'' | '"' | '`' => self.quoted(next)?,
                '-' if self.rest().starts_with("--") => self.skip_past("\n"),
                '/' if self.rest().starts_with("/*") => self.skip_past("*/"),
                '[' if self.rest().starts_with("[[") => self.open()?,
                ']' if self.rest().starts_with("]]") => self.close()?,
                ':' if self.rest().starts_with("::") => self.at += 2,
                ':' if self.rest()[1..].starts_with(begins_name) => self.bind(),
                // An operator of PostgreSQL, such as `@>`, and no bind of SQLite's.
                '@' if !self.rest()[1..].starts_with(begins_name) => self.at += 1,
                '?' | '@' | '$' => return Err(refused(format!("`{next}` does not bind a value here"), BINDS, self.at, 1)),
                ';' => return self.end(),
                c if begins_name(c) => self.word(),
                c if c.is_ascii_digit() => self.at += length(self.rest(), |c| c.is_ascii_alphanumeric() || c == '.'),
                c => self.at += c.len_utf8(),
            }
        }
        match self.optional {
            Some((open, _)) => Err(refused("this `[[` is not closed", "close the optional condition with `]]`", open, 2)),
            None => {
                self.flush(self.at);
                Ok(())
            }
        }
    }

    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn skip_past(&mut self, end: &str) {
        self.at = self.rest().find(end).map_or(self.source.len(), |found| self.at + found + end.len());
    }

    fn quoted(&mut self, quote: char) -> Result<(), Refused> {
        let open = self.at;
        // PostgreSQL's `e'it\'s'`: a quote after a backslash does not end the text.
        let escapes =
            quote == '\'' && self.source[..open].ends_with(['e', 'E']) && self.words.last().is_some_and(|it| it.len() == 1);
        let mut backslash = false;
        let end = self.source[open + 1..].char_indices().find(|(_, c)| {
            let ends = *c == quote && !backslash;
            backslash = escapes && *c == '\\' && !backslash;
            ends
        });
        let Some((at, _)) = end else {
            return Err(refused(format!("this {quote} is not closed"), "close the quote", open, 1));
        };
        self.at = open + 1 + at + 1;
        Ok(())
    }

    fn word(&mut self) {
        let length = length(self.rest(), continues_name);
        self.words.push(self.rest()[..length].to_owned());
        self.at += length;
    }

    fn bind(&mut self) {
        let start = self.at;
        let mut path = Vec::new();
        loop {
            self.at += 1;
            let length = length(self.rest(), continues_name);
            path.push(self.rest()[..length].to_owned());
            self.at += length;
            if !(self.rest().starts_with('.') && self.rest()[1..].starts_with(begins_name)) {
                break;
            }
        }
        self.flush(start);
        let range = start..self.at;
        self.into().push(Piece::Bind(Bind { path, range }));
        self.text_from = self.at;
    }

    fn open(&mut self) -> Result<(), Refused> {
        if self.optional.is_some() {
            return Err(refused("optional conditions cannot stand in one another", "close the first with `]]`", self.at, 2));
        }
        self.flush(self.at);
        self.optional = Some((self.at, Vec::new()));
        self.at += 2;
        self.text_from = self.at;
        Ok(())
    }

    fn close(&mut self) -> Result<(), Refused> {
        let Some((open, _)) = self.optional else {
            return Err(refused("this `]]` closes nothing", "open the optional condition with `[[`", self.at, 2));
        };
        self.flush(self.at);
        let inner = self.optional.take().map(|(_, inner)| inner).unwrap_or_default();
        if !inner.iter().any(|piece| matches!(piece, Piece::Bind(_))) {
            let help = "a condition is optional by a value: `[[ and email = :email ]]`";
            return Err(refused("nothing decides whether this condition stands", help, open, self.at + 2 - open));
        }
        self.pieces.push(Piece::Optional(inner));
        self.at += 2;
        self.text_from = self.at;
        Ok(())
    }

    /// A semicolon ends the statement; only blanks and comments may follow it.
    fn end(&mut self) -> Result<(), Refused> {
        let end = self.at;
        self.at += 1;
        loop {
            self.at += length(self.rest(), char::is_whitespace);
            if self.rest().starts_with("--") {
                self.skip_past("\n");
            } else if self.rest().starts_with("/*") {
                self.skip_past("*/");
            } else if self.rest().is_empty() {
                self.flush(end);
                return Ok(());
            } else {
                return Err(refused("one `sql` is one statement, and this begins another", ONE, self.at, 1));
            }
        }
    }

    fn flush(&mut self, until: usize) {
        let text = self.source.get(self.text_from..until).unwrap_or_default();
        if !text.is_empty() {
            let text = Piece::Text(text.to_owned());
            self.into().push(text);
        }
    }

    fn into(&mut self) -> &mut Vec<Piece> {
        match &mut self.optional {
            Some((_, inner)) => inner,
            None => &mut self.pieces,
        }
    }
}

fn begins_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn continues_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn length(text: &str, belongs: fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Piece {
        Piece::Text(text.to_owned())
    }

    fn names(sql: &Sql) -> Vec<String> {
        sql.binds().map(|bind| bind.path.join(".")).collect()
    }

    #[test]
    fn binds_are_found_and_what_looks_like_one_is_not() {
        let sql = Sql::parse("select ':no', \"a:b\", x::text -- :no\n /* :no */ from t where a = :a and b = :order.id;\n")
            .unwrap();
        assert_eq!(names(&sql), ["a", "order.id"]);
        assert!(!sql.writes);
        assert_eq!(sql.pieces.last(), Some(&Piece::Bind(Bind { path: vec!["order".into(), "id".into()], range: 75..84 })));
    }

    #[test]
    fn an_optional_condition_is_a_piece_of_its_own() {
        let sql = Sql::parse("select 1 where a = :a [[and e = :e]] limit 1").unwrap();
        let Piece::Optional(inner) = &sql.pieces[3] else { panic!("{sql:?}") };
        assert_eq!(inner[0], text("and e = "));
        assert_eq!(sql.pieces[4], text(" limit 1"));
        assert_eq!(names(&sql), ["a", "e"]);
    }

    #[test]
    fn quotes_are_doubled_and_end() {
        let sql = Sql::parse("select 'it''s :x', :y").unwrap();
        assert_eq!(names(&sql), ["y"]);
    }

    #[test]
    fn what_postgresql_writes_otherwise_is_no_bind() {
        let sql =
            Sql::parse(r"select e'it\'s :no', E'\\', :a::jsonb @> :b::text::jsonb, 'a\' where c::date = :c::date").unwrap();
        assert_eq!(names(&sql), ["a", "b", "c"]);
        assert!(Sql::parse("merge into t using s on true when matched then delete").unwrap().writes);
    }

    #[test]
    fn the_first_word_says_whether_it_writes() {
        assert!(Sql::parse("-- note\n UPDATE t set a = 1").unwrap().writes);
        assert!(Sql::parse("with x as (select 1) insert into t select * from x").unwrap().writes);
        assert!(!Sql::parse("with x as (select replace(a, 'b', 'c') from t) select * from x").unwrap().writes);
    }

    #[test]
    fn what_cannot_be_bound_safely_is_refused_with_its_place() {
        let cases = [
            ("select * from t where a = '{{ a }}'", "template", 27),
            ("select 1; drop table t", "another", 10),
            ("select ?", "`?`", 7),
            ("select @a", "`@`", 7),
            ("drop table t", "`drop`", 0),
            ("pragma foreign_keys = off", "`pragma`", 0),
            ("begin", "`begin`", 0),
            ("  -- nothing", "empty", 0),
            ("select 'a", "not closed", 7),
            ("select 1 [[and a = :a", "not closed", 9),
            ("select 1 ]]", "closes nothing", 9),
            ("select 1 [[and 1 = 1]]", "nothing decides", 9),
            ("select 1 [[and a = :a [[and b = :b]] ]]", "in one another", 22),
        ];
        for (source, says, at) in cases {
            let refused = Sql::parse(source).unwrap_err();
            assert!(refused.message.contains(says), "{source}: {}", refused.message);
            assert_eq!(refused.range.start, at, "{source}");
        }
    }

    #[test]
    fn any_text_is_parsed_without_a_panic() {
        let mut rng = fastrand::Rng::with_seed(7);
        let parts = ["select ", ":", "a", ".", "'", "[[", "]]", "ä", ";", "--", "\n", "/*", "*/", "::", "\"", "1", "?", "]"];
        for _ in 0..20_000 {
            let source: String = (0..rng.usize(0..12)).map(|_| parts[rng.usize(0..parts.len())]).collect();
            let _ = Sql::parse(&source);
        }
    }
}
