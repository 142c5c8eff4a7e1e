//! Reads CSV as spreadsheets write it: quotes, line ends of every kind, and commas, semicolons or tabs between the fields.
//!
//! Fields are texts here; what they mean is the table's affair.

/// The lines of a CSV text, each with its number in the file. Empty lines are left out.
///
/// # Errors
/// The line that has an open quote, or another number of fields than the first, and which.
pub(super) fn parse(text: &str) -> Result<Vec<(usize, Vec<String>)>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().next().unwrap_or_default();
    let between = [',', ';', '\t'].into_iter().max_by_key(|c| (first.matches(*c).count(), *c == ',')).unwrap_or(',');
    let mut reader = Reader { between, line: 1, lines: Vec::new(), fields: Vec::new(), field: String::new() };
    reader.read(text)?;
    let width = reader.lines.first().map_or(0, |(_, fields)| fields.len());
    match reader.lines.iter().find(|(_, fields)| fields.len() != width) {
        Some((line, fields)) => Err(format!("line {line} has {} fields where the first has {width}", fields.len())),
        None => Ok(reader.lines),
    }
}

struct Reader {
    between: char,
    line: usize,
    lines: Vec<(usize, Vec<String>)>,
    fields: Vec<String>,
    field: String,
}

impl Reader {
    fn read(&mut self, text: &str) -> Result<(), String> {
        let mut chars = text.chars().peekable();
        let mut begins = self.line;
        while let Some(c) = chars.next() {
            match c {
                '"' if self.field.is_empty() => {
                    let opened = self.line;
                    loop {
                        match chars.next() {
                            Some('"') if chars.peek() == Some(&'"') => {
                                chars.next();
                                self.field.push('"');
                            }
                            Some('"') => break,
                            Some(c) => {
                                self.line += usize::from(c == '\n');
                                self.field.push(c);
                            }
                            None => return Err(format!("the quote opened in line {opened} is not closed")),
                        }
                    }
                }
                c if c == self.between => self.fields.push(std::mem::take(&mut self.field)),
                '\r' if chars.peek() == Some(&'\n') => {}
                '\n' | '\r' => {
                    self.end(begins);
                    self.line += 1;
                    begins = self.line;
                }
                c => self.field.push(c),
            }
        }
        self.end(begins);
        Ok(())
    }

    fn end(&mut self, line: usize) {
        if self.fields.is_empty() && self.field.trim().is_empty() {
            self.field.clear();
            return;
        }
        self.fields.push(std::mem::take(&mut self.field));
        self.lines.push((line, std::mem::take(&mut self.fields)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<Vec<String>> {
        parse(text).unwrap().into_iter().map(|(_, fields)| fields).collect()
    }

    #[test]
    fn quotes_hold_commas_quotes_and_line_ends() {
        assert_eq!(lines("a,b\r\n\"x, \"\"y\"\"\",\"1\n2\"\n\n"), [["a", "b"], ["x, \"y\"", "1\n2"]]);
    }

    #[test]
    fn semicolons_and_tabs_are_seen_in_the_first_line() {
        assert_eq!(lines("\u{feff}a;b\n1,5;2"), [["a", "b"], ["1,5", "2"]]);
        assert_eq!(lines("a\tb\n1\t"), [["a", "b"], ["1", ""]]);
        assert_eq!(lines("a\n1"), [["a"], ["1"]]);
    }

    #[test]
    fn what_does_not_add_up_is_named_by_line() {
        assert!(parse("a,b\n\n1,2\n3\n").unwrap_err().starts_with("line 4 has 1 fields"));
        assert!(parse("a\n\"b").unwrap_err().contains("line 2"));
    }
}
