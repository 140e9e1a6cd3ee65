//! The lexer: text to tokens, one at a time.
//!
//! It runs on demand because error positions depend on how far the parser has looked: the lexer's line counter,
//! [`Lexer::line`], is the line most compile errors report.

use crate::source::Span;

use super::token::{Keyword, Token, TokenKind};

/// A character sequence that is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LexerError {
    /// The text of the error, without prefix and position.
    pub message: &'static str,
    /// The offending characters.
    pub span: Span,
    /// The line they are on, from 1.
    pub line: u32,
}

/// Reads tokens from a text.
#[derive(Clone, Debug)]
pub struct Lexer<'a> {
    text: &'a str,
    position: usize,
    line: u32,
}

impl<'a> Lexer<'a> {
    /// A lexer for a whole text. A first line that begins with `#!` is a comment.
    pub fn new(text: &'a str) -> Self {
        let mut lexer = Self::starting_at(text, 0);
        if text.starts_with("#!") {
            lexer.skip_to_line_end();
        }
        lexer
    }

    /// A lexer for the part of a text behind an offset, which it takes for line 1.
    pub fn starting_at(text: &'a str, offset: usize) -> Self {
        Self {
            text,
            position: offset,
            line: 1,
        }
    }

    /// The line the lexer has reached, from 1. A line break that has been read counts as the next line.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// Whether a space, a tab or the end of the text comes next.
    pub fn at_space_or_end(&self) -> bool {
        matches!(self.byte(0), None | Some(b' ' | b'\t'))
    }

    /// Reads the next token. At the end of the text that is [`TokenKind::EndOfInput`], again and again.
    ///
    /// # Errors
    /// When no token begins here. The lexer has moved past the offending characters.
    pub fn next_token(&mut self) -> Result<Token, LexerError> {
        let before = self.position;
        self.skip_space_and_comment();
        let (start, line) = (self.position, self.line);
        let after_space = start > before;
        let kind = self.read(start)?;
        Ok(Token {
            kind,
            span: self.span_from(start),
            line,
            after_space,
        })
    }

    fn read(&mut self, start: usize) -> Result<TokenKind, LexerError> {
        use TokenKind::*;
        let Some(first) = self.byte(0) else {
            return Ok(EndOfInput);
        };
        let second = self.byte(1);
        let (kind, length) = match (first, second) {
            (b'=', Some(b'=')) => (Equal, 2),
            (b'!', Some(b'=')) => (NotEqual, 2),
            (b'>', Some(b'=')) => (GreaterEqual, 2),
            (b'<', Some(b'=')) => (LessEqual, 2),
            (b'+', Some(b'=')) => (AssignPlus, 2),
            (b'-', Some(b'=')) => (AssignMinus, 2),
            (b'*', Some(b'=')) => (AssignTimes, 2),
            (b'/', Some(b'=')) => (AssignDivide, 2),
            (b'%', Some(b'=')) => (AssignMod, 2),
            (b'^', Some(b'=')) => (AssignPower, 2),
            (b'=', _) => (Assign, 1),
            (b'>', _) => (Greater, 1),
            (b'<', _) => (Less, 1),
            (b'+', _) => (Plus, 1),
            (b'-', _) => (Minus, 1),
            (b'*', _) => (Times, 1),
            (b'/', _) => (Divide, 1),
            (b'%', _) => (Mod, 1),
            (b'^', _) => (Power, 1),
            (b'(', _) => (LeftParen, 1),
            (b')', _) => (RightParen, 1),
            (b'[', _) => (LeftSquare, 1),
            (b']', _) => (RightSquare, 1),
            (b'{', _) => (LeftCurly, 1),
            (b'}', _) => (RightCurly, 1),
            (b'@', _) => (AddressOf, 1),
            (b',', _) => (Comma, 1),
            (b':', _) => (Colon, 1),
            (b';', _) => (EndOfLine, 1),
            (b'\r', Some(b'\n')) => return Ok(self.line_break(2)),
            (b'\r' | b'\n', _) => return Ok(self.line_break(1)),
            (b'.', Some(b'0'..=b'9')) | (b'0'..=b'9', _) => return Ok(self.number()),
            (b'.', _) => (Dot, 1),
            (b'"', _) => return self.string(start),
            _ => return self.word_or_unknown(start),
        };
        self.position += length;
        Ok(kind)
    }

    fn line_break(&mut self, length: usize) -> TokenKind {
        self.position += length;
        self.line = self.line.saturating_add(1);
        TokenKind::EndOfLine
    }

    /// Everything that looks like part of a number; whether it is one is for the parser to judge.
    fn number(&mut self) -> TokenKind {
        let mut previous = 0;
        while let Some(byte) = self.byte(0) {
            match byte {
                b'0'..=b'9' | b'.' | b'e' | b'E' => {}
                b'+' | b'-' if matches!(previous, b'e' | b'E') => {}
                _ => break,
            }
            previous = byte;
            self.position += 1;
        }
        TokenKind::Number
    }

    fn string(&mut self, start: usize) -> Result<TokenKind, LexerError> {
        self.position += 1;
        loop {
            match (self.byte(0), self.byte(1)) {
                (Some(b'"'), Some(b'"')) => self.position += 2,
                (Some(b'"'), _) => {
                    self.position += 1;
                    return Ok(TokenKind::String);
                }
                (None | Some(b'\r' | b'\n'), _) => {
                    return Err(self.error("missing closing quote (\")", start));
                }
                _ => self.position += 1,
            }
        }
    }

    fn word_or_unknown(&mut self, start: usize) -> Result<TokenKind, LexerError> {
        self.skip_word();
        if self.position == start {
            self.position += self.rest().chars().next().map_or(1, char::len_utf8);
            return Ok(TokenKind::Unknown);
        }
        match self.text.get(start..self.position) {
            Some("end") => self.joined_end(start),
            Some("else") => Ok(TokenKind::Keyword(self.joined_else())),
            word => Ok(word
                .and_then(Keyword::from_word)
                .map_or(TokenKind::Identifier, TokenKind::Keyword)),
        }
    }

    /// `end` makes one token with the keyword behind it, which may itself begin with `end`.
    fn joined_end(&mut self, start: usize) -> Result<TokenKind, LexerError> {
        let mut nested = false;
        loop {
            let end_of_end = self.position;
            self.skip_space_and_comment();
            let word_start = self.position;
            self.skip_word();
            let keyword = match self.text.get(word_start..self.position) {
                Some("end") => {
                    nested = true;
                    continue;
                }
                Some("else") => Some(self.joined_else()),
                Some(word) => Keyword::from_word(word),
                None => None,
            };
            return match keyword {
                Some(_) if nested => Ok(TokenKind::Keyword(Keyword::EndOther)),
                Some(keyword) => Ok(TokenKind::Keyword(keyword.after_end())),
                None => {
                    // The next token comes first, and with it what is wrong with that.
                    if self.byte(0) == Some(b'"') {
                        self.string(word_start)?;
                    }
                    self.position = end_of_end;
                    Err(self.error(
                        "'end' without following keyword ('if', 'function', etc.)",
                        start,
                    ))
                }
            };
        }
    }

    /// `else` makes one token with a directly following `if`.
    fn joined_else(&mut self) -> Keyword {
        let after_else = self.position;
        while matches!(self.byte(0), Some(b' ' | b'\t')) {
            self.position += 1;
        }
        let word_start = self.position;
        self.skip_word();
        if self.text.get(word_start..self.position) == Some("if") {
            return Keyword::ElseIf;
        }
        self.position = after_else;
        Keyword::Else
    }

    fn skip_space_and_comment(&mut self) {
        while matches!(self.byte(0), Some(b' ' | b'\t')) {
            self.position += 1;
        }
        if self.byte(0) == Some(b'/') && self.byte(1) == Some(b'/') {
            self.skip_to_line_end();
        }
    }

    fn skip_to_line_end(&mut self) {
        while !matches!(self.byte(0), None | Some(b'\r' | b'\n')) {
            self.position += 1;
        }
    }

    /// Skips letters, digits, `_` and all characters above U+009F.
    fn skip_word(&mut self) {
        while let Some(byte) = self.byte(0) {
            if byte.is_ascii_alphanumeric() || byte == b'_' {
                self.position += 1;
            } else if let Some(c) = self.rest().chars().next().filter(|&c| c > '\u{9F}') {
                self.position += c.len_utf8();
            } else {
                break;
            }
        }
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.position + ahead).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or("")
    }

    fn span_from(&self, start: usize) -> Span {
        // Sources are smaller than 4 GiB.
        Span::new(start as u32, self.position as u32)
    }

    fn error(&self, message: &'static str, start: usize) -> LexerError {
        LexerError {
            message,
            span: self.span_from(start),
            line: self.line,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All tokens as error messages name them, separated by spaces.
    fn lex(text: &str) -> String {
        let mut lexer = Lexer::new(text);
        let mut tokens = Vec::new();
        loop {
            match lexer.next_token() {
                Ok(token) if token.kind == TokenKind::EndOfInput => break,
                Ok(token) => tokens.push(token.describe(text)),
                Err(error) => tokens.push(format!("<{error}>")),
            }
        }
        tokens.join(" ")
    }

    #[test]
    fn operators_are_matched_longest_first() {
        assert_eq!(lex("a==b"), "Identifier(a) OpEqual Identifier(b)");
        assert_eq!(lex("===!=!"), "OpEqual OpAssign OpNotEqual Unknown(!)");
        assert_eq!(
            lex("x^=2 % 3"),
            "Identifier(x) OpAssignPower Number(2) OpMod Number(3)"
        );
    }

    #[test]
    fn numbers_take_everything_that_looks_like_one() {
        assert_eq!(
            lex("5.e3 .5 1.2.3 1e+3-2"),
            "Number(5.e3) Number(.5) Number(1.2.3) Number(1e+3) OpMinus Number(2)"
        );
        assert_eq!(
            lex("0x10 5.foo"),
            "Number(0) Identifier(x10) Number(5.) Identifier(foo)"
        );
        assert_eq!(
            lex("x.y..2"),
            "Identifier(x) Dot Identifier(y) Dot Number(.2)"
        );
    }

    #[test]
    fn end_and_else_join_the_next_word() {
        assert_eq!(lex("end \t while"), "Keyword(end while)");
        assert_eq!(
            lex("else if(x)"),
            "Keyword(else if) LParen Identifier(x) RParen"
        );
        assert_eq!(lex("else ifx"), "Keyword(else) Identifier(ifx)");
        assert_eq!(lex("else\nif"), "Keyword(else) EOL(\n) Keyword(if)");
        assert_eq!(lex("end end if"), "Keyword(end end if)");
        assert_eq!(lex("ending endif"), "Identifier(ending) Identifier(endif)");
        let error = "<'end' without following keyword ('if', 'function', etc.)>";
        assert_eq!(lex("end x"), format!("{error} Identifier(x)"));
        assert_eq!(lex("end end end"), error);
        assert_eq!(lex("end \"x"), "<missing closing quote (\")>");
    }

    #[test]
    fn strings_end_on_their_line() {
        assert_eq!(lex(r#""a""b" // "c""#), r#"String(a"b)"#);
        assert_eq!(lex("\"//\""), "String(//)");
        assert_eq!(
            lex("\"abc\nx"),
            "<missing closing quote (\")> EOL(\n) Identifier(x)"
        );
        assert_eq!(lex("\"\0\""), "String(\0)");
    }

    #[test]
    fn every_line_end_ends_comments_too() {
        assert_eq!(
            lex("//a\rb//c\r\nd;e"),
            "EOL(\r) Identifier(b) EOL(\r\n) Identifier(d) EOL(;) Identifier(e)"
        );
        let mut lexer = Lexer::new("a\rb\r\nc;d");
        let mut lines = Vec::new();
        for _ in 0..7 {
            lines.push(lexer.next_token().unwrap().line);
        }
        assert_eq!(lines, [1, 1, 2, 2, 3, 3, 3]);
    }

    #[test]
    fn identifiers_are_unicode_above_the_control_characters() {
        assert_eq!(
            lex("café\u{FFFD} 😀"),
            "Identifier(café\u{FFFD}) Identifier(😀)"
        );
        assert_eq!(
            lex("a\u{85}b"),
            "Identifier(a) Unknown(\u{85}) Identifier(b)"
        );
        assert_eq!(lex("$\0"), "Unknown($) Unknown(\0)");
    }

    #[test]
    fn hash_bang_is_a_comment_only_at_the_very_start() {
        assert_eq!(lex("#!/usr/bin/kiln\nx"), "EOL(\n) Identifier(x)");
        assert_eq!(lex("\n#!"), "EOL(\n) Unknown(#) Unknown(!)");
    }

    #[test]
    fn space_before_a_token_is_noted() {
        let mut lexer = Lexer::new("a -b\t(");
        let spaces: Vec<bool> = (0..4)
            .map(|_| lexer.next_token().unwrap().after_space)
            .collect();
        assert_eq!(spaces, [false, true, false, true]);
    }
}
