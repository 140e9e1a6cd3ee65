//! Takes a line of text apart.

use std::str::FromStr;

use super::parser::Problem;

/// Reads one line from left to right; blanks separate and mean nothing.
pub(super) struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(line: &'a str) -> Scanner<'a> {
        Scanner { rest: line.trim() }
    }

    /// Whether nothing but a comment is left.
    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty() || self.rest.starts_with(';')
    }

    pub(super) fn require_end(&self) -> Result<(), Problem> {
        if self.is_at_end() {
            Ok(())
        } else {
            Err(Problem::Expected("the end of the line"))
        }
    }

    /// Takes `token` if it comes next.
    pub(super) fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    pub(super) fn require(&mut self, token: &'static str) -> Result<(), Problem> {
        if self.take(token) {
            Ok(())
        } else {
            Err(Problem::Expected(token))
        }
    }

    /// Takes letters, digits and underscores, perhaps none.
    pub(super) fn name(&mut self) -> &'a str {
        self.take_while(|c| c.is_ascii_alphanumeric() || c == '_')
    }

    /// Takes a number with an optional sign.
    pub(super) fn number<T: FromStr>(&mut self) -> Result<T, Problem> {
        let sign = if self.rest.starts_with('-') { 1 } else { 0 };
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-' || c == '+';
        let end = self.rest[sign..].find(|c| !is_part(c));
        // Two dots separate the ends of a range.
        let end = end.map_or(self.rest.len(), |end| end + sign);
        let end = self.rest[..end].find("..").unwrap_or(end);
        let (digits, rest) = self.rest.split_at(end);
        let number = digits.parse().map_err(|_| Problem::Expected("a number"))?;
        self.rest = rest.trim_start();
        Ok(number)
    }

    /// Takes a number behind `prefix`, such as the 3 in `r3`.
    pub(super) fn prefixed<T: FromStr>(&mut self, prefix: &'static str) -> Result<T, Problem> {
        self.require(prefix)?;
        self.number()
    }

    /// Takes a string in quotes.
    pub(super) fn string(&mut self) -> Result<Box<str>, Problem> {
        const EXPECTED: Problem = Problem::Expected("a string in quotes");
        let mut characters = self.rest.strip_prefix('"').ok_or(EXPECTED)?.chars();
        let mut string = String::new();
        loop {
            match characters.next().ok_or(EXPECTED)? {
                '"' => break,
                '\\' => string.push(match characters.next().ok_or(EXPECTED)? {
                    'n' => '\n',
                    't' => '\t',
                    'u' => {
                        let (code, rest) = (characters.as_str().strip_prefix('{'))
                            .and_then(|rest| rest.split_once('}'))
                            .ok_or(EXPECTED)?;
                        characters = rest.chars();
                        let code = u32::from_str_radix(code, 16).map_err(|_| EXPECTED)?;
                        char::from_u32(code).ok_or(EXPECTED)?
                    }
                    literal @ ('"' | '\\') => literal,
                    _ => return Err(EXPECTED),
                }),
                character => string.push(character),
            }
        }
        self.rest = characters.as_str().trim_start();
        Ok(string.into())
    }

    fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        taken
    }
}
