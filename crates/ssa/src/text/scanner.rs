//! Takes a line of text apart.

use std::str::FromStr;

use thiserror::Error;

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// Something else should stand here.
    #[error("`{0}` expected")]
    Expected(&'static str),
    /// Nothing has this name.
    #[error("`{0}` means nothing here")]
    Unknown(String),
    /// Entries come in order.
    #[error("the number here should be {0}")]
    OutOfOrder(usize),
    /// A value is defined twice.
    #[error("v{0} is defined twice")]
    DefinedTwice(u32),
    /// Something is mentioned that is defined nowhere.
    #[error("{0} is not defined")]
    Undefined(String),
}

/// Reads one line from left to right; blanks separate and mean nothing.
pub struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    /// Begins with a line.
    pub fn new(line: &'a str) -> Scanner<'a> {
        Scanner { rest: line.trim() }
    }

    /// Whether nothing but a comment is left.
    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty() || self.rest.starts_with(';')
    }

    /// Whether `prefix` and a digit come next.
    pub fn is_at(&self, prefix: &str) -> bool {
        let digits = self.rest.strip_prefix(prefix);
        digits.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    }

    /// Requires that nothing but a comment is left.
    pub fn require_end(&self) -> Result<(), Problem> {
        match self.is_at_end() {
            true => Ok(()),
            false => Err(Problem::Expected("the end of the line")),
        }
    }

    /// Takes `token` if it comes next.
    pub fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    /// Takes `token`, which must come next.
    pub fn require(&mut self, token: &'static str) -> Result<(), Problem> {
        match self.take(token) {
            true => Ok(()),
            false => Err(Problem::Expected(token)),
        }
    }

    /// Takes letters, digits and underscores, perhaps none.
    pub fn name(&mut self) -> &'a str {
        self.take_while(|c| c.is_ascii_alphanumeric() || c == '_')
    }

    /// Takes names joined by `|`.
    pub fn kind_names(&mut self) -> &'a str {
        self.take_while(|c| c.is_ascii_alphabetic() || c == '|')
    }

    /// Takes a number with an optional sign.
    pub fn number<T: FromStr>(&mut self) -> Result<T, Problem> {
        let sign = usize::from(self.rest.starts_with('-'));
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        let end = self.rest[sign..].find(|c| !is_part(c));
        let end = end.map_or(self.rest.len(), |end| end + sign);
        let (digits, rest) = self.rest.split_at(end);
        let number = digits.parse().map_err(|_| Problem::Expected("a number"))?;
        self.rest = rest.trim_start();
        Ok(number)
    }

    /// Takes digits behind `prefix`, such as the 3 in `r3`.
    pub fn prefixed<T: FromStr>(&mut self, prefix: &'static str) -> Result<T, Problem> {
        self.require(prefix)?;
        let digits = self.take_while(|c| c.is_ascii_digit());
        digits.parse().map_err(|_| Problem::Expected("a number"))
    }

    /// Takes items separated by commas up to `close`.
    pub fn list<T>(
        &mut self,
        close: &'static str,
        item: impl Fn(&mut Scanner<'a>) -> Result<T, Problem>,
    ) -> Result<Vec<T>, Problem> {
        let mut items = Vec::new();
        if self.take(close) {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.take(close) {
                return Ok(items);
            }
            self.require(",")?;
        }
    }

    /// Takes a string in quotes, which holds no quotes itself.
    pub fn string(&mut self) -> Result<&'a str, Problem> {
        const EXPECTED: Problem = Problem::Expected("a string in quotes");
        let rest = self.rest.strip_prefix('"').ok_or(EXPECTED)?;
        let (string, rest) = rest.split_once('"').ok_or(EXPECTED)?;
        self.rest = rest.trim_start();
        Ok(string)
    }

    fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        taken
    }
}
