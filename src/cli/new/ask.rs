//! Questions at the terminal, for what the flags leave open. Where nobody can answer, the flag that is missing is named.

use std::io::{BufRead, Write};

/// Somebody to ask, or nobody.
pub(super) struct Ask<'a> {
    lines: &'a mut dyn BufRead,
    out: &'a mut dyn Write,
    /// Whether somebody is there to answer.
    there: bool,
}

/// How often a question is asked again.
const TRIES: usize = 5;

impl<'a> Ask<'a> {
    pub(super) fn new(lines: &'a mut dyn BufRead, out: &'a mut dyn Write, there: bool) -> Self {
        Self { lines, out, there }
    }

    /// A text.
    ///
    /// # Errors
    /// What `flag` is for, where nobody answers.
    pub(super) fn text(&mut self, question: &str, flag: &str) -> Result<String, String> {
        for _ in 0..TRIES {
            let answer = self.answer(&format!("{question} "), flag)?;
            if !answer.is_empty() {
                return Ok(answer);
            }
        }
        Err(needed(question, flag))
    }

    /// One of several, by its name or its number; each has a few words on it.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub(super) fn choice(&mut self, question: &str, options: &[(String, String)], flag: &str) -> Result<String, String> {
        if !self.there {
            return Err(needed(question, flag));
        }
        for (at, (name, words)) in options.iter().enumerate() {
            let _ = writeln!(self.out, "{:>4}  {name}{}{words}", at + 1, if words.is_empty() { "" } else { "  " });
        }
        for _ in 0..TRIES {
            let answer = self.answer(&format!("{question} (a name or a number) "), flag)?;
            let numbered = answer.parse::<usize>().ok().and_then(|number| options.get(number.checked_sub(1)?));
            if let Some((name, _)) = numbered.or_else(|| options.iter().find(|(name, _)| *name == answer)) {
                return Ok(name.clone());
            }
        }
        Err(needed(question, flag))
    }

    /// A text or nothing; nothing also where nobody answers.
    pub(super) fn optional(&mut self, question: &str) -> Option<String> {
        if !self.there {
            return None;
        }
        self.answer(&format!("{question} "), "").ok().filter(|answer| !answer.is_empty())
    }

    fn answer(&mut self, question: &str, flag: &str) -> Result<String, String> {
        let mut line = String::new();
        if self.there {
            let _ = write!(self.out, "{question}").and_then(|()| self.out.flush());
        }
        match self.there && self.lines.read_line(&mut line).is_ok_and(|read| read > 0) {
            true => Ok(line.trim().to_owned()),
            false => Err(needed(question, flag)),
        }
    }
}

fn needed(question: &str, flag: &str) -> String {
    format!("{} Say it with {flag}", question.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask<T>(typed: &str, there: bool, with: impl FnOnce(&mut Ask<'_>) -> T) -> T {
        let (mut lines, mut out) = (typed.as_bytes(), Vec::new());
        with(&mut Ask::new(&mut lines, &mut out, there))
    }

    #[test]
    fn a_choice_is_made_by_number_or_name_and_asked_again_otherwise() {
        let options = [("a".to_owned(), String::new()), ("b".to_owned(), "the second".to_owned())];
        assert_eq!(ask("9\n\n2\n", true, |ask| ask.choice("Which?", &options, "--x")), Ok("b".to_owned()));
        assert_eq!(ask("a\n", true, |ask| ask.choice("Which?", &options, "--x")), Ok("a".to_owned()));
        assert!(ask(&"z\n".repeat(9), true, |ask| ask.choice("Which?", &options, "--x")).is_err());
    }

    #[test]
    fn where_nobody_answers_the_flag_is_named() {
        assert_eq!(ask("", false, |ask| ask.text("Which one?", "--x")), Err("Which one? Say it with --x".to_owned()));
        assert!(ask("", true, |ask| ask.text("Which one?", "--x")).is_err());
        assert_eq!(ask("", false, |ask| ask.optional("Which one?")), None);
    }
}
