//! Tokens.

use std::borrow::Cow;

use crate::source::Span;

/// Reserved words, including those the lexer joins from two words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is named after its spelling")]
pub enum Keyword {
    And,
    Break,
    Continue,
    Else,
    ElseIf,
    EndFor,
    EndFunction,
    EndIf,
    /// `end` with a keyword that closes nothing, such as `end then`.
    EndOther,
    EndWhile,
    False,
    For,
    Function,
    If,
    In,
    Isa,
    New,
    Not,
    Null,
    Or,
    Repeat,
    Return,
    Then,
    True,
    While,
}

impl Keyword {
    /// The keyword of one word, except for `end`, which is none by itself.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "and" => Self::And,
            "break" => Self::Break,
            "continue" => Self::Continue,
            "else" => Self::Else,
            "false" => Self::False,
            "for" => Self::For,
            "function" => Self::Function,
            "if" => Self::If,
            "in" => Self::In,
            "isa" => Self::Isa,
            "new" => Self::New,
            "not" => Self::Not,
            "null" => Self::Null,
            "or" => Self::Or,
            "repeat" => Self::Repeat,
            "return" => Self::Return,
            "then" => Self::Then,
            "true" => Self::True,
            "while" => Self::While,
            _ => return None,
        })
    }

    /// The keyword that `end` and this one make together.
    pub fn after_end(self) -> Self {
        match self {
            Self::For => Self::EndFor,
            Self::Function => Self::EndFunction,
            Self::If => Self::EndIf,
            Self::While => Self::EndWhile,
            _ => Self::EndOther,
        }
    }
}

/// What a token is. Its text, where that varies, is the source under its span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is named after its spelling")]
pub enum TokenKind {
    Keyword(Keyword),
    Number,
    String,
    Identifier,
    Assign,
    Plus,
    Minus,
    Times,
    Divide,
    Mod,
    Power,
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    AssignPlus,
    AssignMinus,
    AssignTimes,
    AssignDivide,
    AssignMod,
    AssignPower,
    LeftParen,
    RightParen,
    LeftSquare,
    RightSquare,
    LeftCurly,
    RightCurly,
    AddressOf,
    Comma,
    Dot,
    Colon,
    /// A line break, or `;`.
    EndOfLine,
    EndOfInput,
    /// A character that begins no token.
    Unknown,
}

impl TokenKind {
    /// Whether a statement can end here: a line end or the end of the input.
    pub fn ends_line(self) -> bool {
        matches!(self, Self::EndOfLine | Self::EndOfInput)
    }

    /// The name error messages use for this kind of token.
    pub fn error_name(self) -> &'static str {
        match self {
            Self::Keyword(_) => "Keyword",
            Self::Number => "Number",
            Self::String => "String",
            Self::Identifier => "Identifier",
            Self::Assign => "OpAssign",
            Self::Plus => "OpPlus",
            Self::Minus => "OpMinus",
            Self::Times => "OpTimes",
            Self::Divide => "OpDivide",
            Self::Mod => "OpMod",
            Self::Power => "OpPower",
            Self::Equal => "OpEqual",
            Self::NotEqual => "OpNotEqual",
            Self::Greater => "OpGreater",
            Self::GreaterEqual => "OpGreatEqual",
            Self::Less => "OpLesser",
            Self::LessEqual => "OpLessEqual",
            Self::AssignPlus => "OpAssignPlus",
            Self::AssignMinus => "OpAssignMinus",
            Self::AssignTimes => "OpAssignTimes",
            Self::AssignDivide => "OpAssignDivide",
            Self::AssignMod => "OpAssignMod",
            Self::AssignPower => "OpAssignPower",
            Self::LeftParen => "LParen",
            Self::RightParen => "RParen",
            Self::LeftSquare => "LSquare",
            Self::RightSquare => "RSquare",
            Self::LeftCurly => "LCurly",
            Self::RightCurly => "RCurly",
            Self::AddressOf => "AddressOf",
            Self::Comma => "Comma",
            Self::Dot => "Dot",
            Self::Colon => "Colon",
            Self::EndOfLine | Self::EndOfInput => "EOL",
            Self::Unknown => "Unknown",
        }
    }
}

/// A token: kind and place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it is.
    pub span: Span,
    /// The line it begins on, from 1.
    pub line: u32,
    /// Whether white space or a comment precedes it on its line.
    pub after_space: bool,
}

impl Token {
    /// The characters of the token in `source`, the text it was read from.
    pub fn text<'a>(&self, source: &'a str) -> &'a str {
        source
            .get(self.span.start as usize..self.span.end as usize)
            .unwrap_or("")
    }

    /// What the token stands for: the contents of a string literal, joined keywords with one space between, any
    /// other text as it is.
    pub fn value<'a>(&self, source: &'a str) -> Cow<'a, str> {
        let text = self.text(source);
        match self.kind {
            TokenKind::String => string_contents(text),
            TokenKind::Keyword(_) if text.contains([' ', '\t']) => text
                .split_ascii_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .into(),
            _ => text.into(),
        }
    }

    /// The token as error messages quote it: `Identifier(x)`, `OpPlus`, `EOL(;)`.
    pub fn describe(&self, source: &str) -> String {
        let name = self.kind.error_name();
        match self.kind {
            TokenKind::Keyword(_)
            | TokenKind::Number
            | TokenKind::String
            | TokenKind::Identifier
            | TokenKind::EndOfLine
            | TokenKind::Unknown => format!("{name}({})", self.value(source)),
            _ => name.to_owned(),
        }
    }
}

/// The contents of a string literal: without the outer quotes, doubled inner ones made single.
fn string_contents(literal: &str) -> Cow<'_, str> {
    let inner = literal.strip_prefix('"').unwrap_or(literal);
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    if inner.contains('"') {
        inner.replace("\"\"", "\"").into()
    } else {
        inner.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_undoubled() {
        assert_eq!(string_contents(r#""""#), "");
        assert_eq!(string_contents(r#""a""b""#), r#"a"b"#);
        assert_eq!(string_contents(r#""""""#), r#"""#);
    }
}
