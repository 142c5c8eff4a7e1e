//! The pieces of a text about time: words, numbers and marks. Only for [`super::date_in`] and [`super::time_in`].

/// A piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Letters, in small ones.
    Word(String),
    /// Digits: their value, and how many they are.
    Number(u32, usize),
    /// `.`, `/`, `-` or `:`.
    Mark(char),
}

/// The pieces of a text, with a place to read from.
#[derive(Debug, Clone)]
pub(super) struct Tokens {
    tokens: Vec<Token>,
    at: usize,
}

impl Tokens {
    /// Cuts a text; nothing when it is too long to be about a time, or has characters that no such text has.
    pub(super) fn of(text: &str) -> Option<Self> {
        if text.len() > 120 {
            return None;
        }
        let mut tokens = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if c.is_ascii_digit() {
                let mut digits = String::from(c);
                while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                    digits.push(digit);
                }
                tokens.push(Token::Number(digits.parse().ok()?, digits.len()));
            } else if c.is_alphabetic() {
                let mut word: String = c.to_lowercase().collect();
                while let Some(letter) = chars.next_if(|c| c.is_alphabetic() || *c == '’' || *c == '\'') {
                    word.extend(letter.to_lowercase());
                }
                tokens.push(Token::Word(word.replace('’', "'")));
            } else if matches!(c, '.' | '/' | '-' | ':') {
                tokens.push(Token::Mark(c));
            } else if !(c.is_whitespace() || matches!(c, ',' | '!' | '?' | '–')) {
                return None;
            }
        }
        Some(Self { tokens, at: 0 })
    }

    pub(super) fn done(&self) -> bool {
        self.at >= self.tokens.len()
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    /// The word at the place, and past it.
    pub(super) fn word(&mut self) -> Option<String> {
        match self.peek() {
            Some(Token::Word(word)) => {
                let word = word.clone();
                self.at += 1;
                Some(word)
            }
            _ => None,
        }
    }

    /// Past the next word if it is one of these.
    pub(super) fn skip(&mut self, words: &[&str]) -> bool {
        self.take(|word| words.contains(&word).then_some(())).is_some()
    }

    /// What `of` makes of the next word, and past it.
    pub(super) fn take<T>(&mut self, of: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        match self.peek() {
            Some(Token::Word(word)) => {
                let taken = of(word)?;
                self.at += 1;
                Some(taken)
            }
            _ => None,
        }
    }

    /// The number at the place, and past it.
    pub(super) fn number(&mut self) -> Option<(u32, usize)> {
        match self.peek() {
            Some(Token::Number(value, width)) => {
                let number = (*value, *width);
                self.at += 1;
                Some(number)
            }
            _ => None,
        }
    }

    /// Past the next mark if it is this one.
    pub(super) fn mark(&mut self, mark: char) -> bool {
        let there = self.peek() == Some(&Token::Mark(mark));
        self.at += usize::from(there);
        there
    }

    /// Tries to read something; stays where it was when that fails.
    pub(super) fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.at;
        let result = read(self);
        if result.is_none() {
            self.at = before;
        }
        result
    }
}
