//! The wording and the line of every compile error. Programs here have no line break at their end unless it matters.

use crate::{first_error, parse};

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(
        first_error(text),
        format!("Compiler Error: {expected}"),
        "in {text:?}"
    );
}

#[test]
fn operands_are_reported_where_the_statement_begins() {
    check(
        "x = $",
        "got Unknown($) where number, string, or identifier is required [line 1]",
    );
    check(
        "x = 1 +\n\n\n)",
        "got RParen where number, string, or identifier is required [line 1]",
    );
    check(
        "x = 1 +",
        "got EOL where number, string, or identifier is required [line 1]",
    );
    check(
        "print -",
        "got EOL where number, string, or identifier is required [line 1]",
    );
    check(
        "x = 2^-1",
        "got OpMinus where number, string, or identifier is required [line 1]",
    );
    check(
        "x = not not 1",
        "got Keyword(not) where number, string, or identifier is required [line 1]",
    );
    check(
        "x = 1 == not 0",
        "got Keyword(not) where number, string, or identifier is required [line 1]",
    );
    check(
        "x = - - 1",
        "got OpMinus where number, string, or identifier is required [line 1]",
    );
    check(
        "f(1),2",
        "got Comma where number, string, or identifier is required [line 1]",
    );
    check(
        "x = \n5",
        "got EOL(\n) where number, string, or identifier is required [line 1]",
    );
    check(
        "x =; y",
        "got EOL(;) where number, string, or identifier is required [line 1]",
    );
    check(
        "\u{85} = 1",
        "got Unknown(\u{85}) where number, string, or identifier is required [line 1]",
    );
}

#[test]
fn list_separators_are_reported_where_the_lexer_is() {
    check(
        "x = [1\n,2]",
        "got EOL(\n) where Comma or RSquare is required [line 2]",
    );
    check(
        "x = {\"a\":1\n}",
        "got EOL(\n) where Comma or RCurly is required [line 2]",
    );
    check(
        "f(1\n)",
        "got EOL(\n) where Comma or RParen is required [line 2]",
    );
    check(
        "print 1 2",
        "got Number(2) where Comma or EOL is required [line 1]",
    );
    check(
        "print x [0]",
        "got LSquare where Comma or EOL is required [line 1]",
    );
    check(
        "print m[\"f\"](3)",
        "got LParen where Comma or EOL is required [line 1]",
    );
    check(
        "print f(1)(2)",
        "got LParen where Comma or EOL is required [line 1]",
    );
    check(
        "print 1 \"\"",
        "got String() where Comma or EOL is required [line 1]",
    );
}

#[test]
fn required_tokens() {
    check(
        "x = 1 y",
        "got Identifier(y) where EOL is required [line 1]",
    );
    check("a = b = 3", "got OpAssign where EOL is required [line 1]");
    check(
        "a isa b isa c = 1",
        "got Keyword(isa) where number, string, or identifier is required [line 1]",
    );
    check(
        "x = a isa b isa c",
        "got Keyword(isa) where EOL is required [line 1]",
    );
    check(
        "x.if = 3",
        "got Keyword(if) where Identifier is required [line 1]",
    );
    check(
        "if 1\n",
        "got EOL(\n) where Keyword(then) is required [line 2]",
    );
    check("if 1", "got EOL where Keyword(then) is required [line 1]");
    check(
        "for i of x",
        "got Identifier(of) where Keyword(in) is required [line 1]",
    );
    check(
        "for 1 in x",
        "got Number(1) where Identifier is required [line 1]",
    );
    check("x = {1}", "got RCurly where Colon is required [line 1]");
    check("x = (1", "got EOL where RParen is required [line 1]");
    check("x = y[1", "got EOL where RSquare is required [line 1]");
    check(
        "x = [function]",
        "got RSquare where LParen is required [line 1]",
    );
    check(
        "f = function(a b)",
        "got Identifier(b) where Comma is required [line 1]",
    );
    check(
        "f = function(a,1)",
        "got Number(1) where an identifier is required [line 1]",
    );
    check(
        "f = function(",
        "got EOL where an identifier is required [line 1]",
    );
    check(
        "f = function(x) return x",
        "got Keyword(return) where EOL is required [line 1]",
    );
    check(
        "x = 1 else",
        "got Keyword(else) where EOL is required [line 1]",
    );
    check(
        "f 1 else",
        "got Keyword(else) where EOL is required [line 1]",
    );
}

#[test]
fn particular_mistakes() {
    check(
        "if a = b then",
        "found = instead of == in if condition [line 1]",
    );
    check(
        "x[1:2] = 5\n",
        "invalid assignment (not an lvalue) [line 2]",
    );
    check("f(1) += 5", "invalid assignment (not an lvalue) [line 1]");
    check("[1] = 5", "invalid assignment (not an lvalue) [line 1]");
    check("(x) = 5", "invalid assignment (not an lvalue) [line 1]");
    check(
        "for x in null\n",
        "sequence expression expected for 'for' loop [line 2]",
    );
    check(
        "null",
        "unexpected keyword 'null' at start of line [line 1]",
    );
    check(
        "\nend  then",
        "unexpected keyword 'end then' at start of line [line 2]",
    );
    check("x = 1\nbreak", "'break' without open loop block [line 2]");
    check(
        "while 1\nf = function\ncontinue",
        "'continue' without open loop block [line 3]",
    );
    check(
        "f = function(a=1+1)",
        "parameter default value must be a literal value [line 1]",
    );
    check(
        "f = function(a=b)",
        "parameter default value must be a literal value [line 1]",
    );
    check(
        "f = function(a=[])",
        "parameter default value must be a literal value [line 1]",
    );
    check(
        "x = [function(), function()]",
        "can't start two functions in one statement [line 1]",
    );
    check(
        "x = function(a=function())",
        "can't start two functions in one statement [line 1]",
    );
    check(
        "return \"else\"",
        "got String(else) where EOL is required [line 1]",
    );
}

#[test]
fn numbers_must_be_numbers() {
    for text in [
        "1.2.3", "1..2", "1e5e2", "1E", ".6E", "123e", "1e999", "1e+",
    ] {
        check(
            &format!("x = {text}"),
            &format!("invalid numeric literal: {text} [line 1]"),
        );
    }
    check("x = [1,\n2.e]", "invalid numeric literal: 2.e [line 1]");
    for text in ["5.", ".5", "5.e3", "00012", "1e+3", "1e-999", "1.5E-3"] {
        assert!(parse(&format!("x = {text}")).is_ok(), "{text}");
    }
}

#[test]
fn blocks_must_match() {
    check("else", "'else' without matching block starter [line 1]");
    check(
        "else if 1 then",
        "'else' without matching block starter [line 1]",
    );
    check(
        "while 1\nelse",
        "'else' skips expected 'end while' [line 2]",
    );
    check(
        "for i in x\nelse if 1 then",
        "'else' skips expected 'end for' [line 2]",
    );
    check(
        "if 1 then\nelse\nelse",
        "'else' skips expected 'end if' [line 3]",
    );
    check("end if", "'end if' without matching 'if' [line 1]");
    check(
        "if 1 then\nwhile 1\nend if",
        "'end if' without matching 'if' [line 3]",
    );
    check("end while", "'end while' without matching 'while' [line 1]");
    check(
        "for i in x\nend while",
        "'end while' without matching 'while' [line 2]",
    );
    check(
        "while 1\nend for",
        "'end for' without matching 'for' [line 2]",
    );
    check(
        "while 1\nif 1 then\nend while",
        "'end while' skips expected 'else' [line 3]",
    );
    check(
        "for i in x\nif 1 then\nelse\nend for",
        "'end for' skips expected 'end if' [line 4]",
    );
    check(
        "end function",
        "'end function' without matching block starter [line 1]",
    );
    check(
        "if 1 then while 1",
        "loop is invalid within single-line 'if' [line 1]",
    );
    check(
        "if 1 then f = function\nend function",
        "'end if' without matching 'if' [line 1]",
    );
    check(
        "if 1 then x = 1 y",
        "got Identifier(y) where Keyword(else) or EOL is required [line 1]",
    );
}

#[test]
fn open_blocks_are_reported_behind_the_end() {
    check("if 1 then", "'if' without matching 'end if' [line 2]");
    check("while 1\n", "'while' without matching 'end while' [line 3]");
    check(
        "for i in x\nbreak",
        "'for' without matching 'end for' [line 3]",
    );
    check(
        "f = function\nif 1 then",
        "'function' without matching 'end function' [line 3]",
    );
    check(
        "return function",
        "'function' without matching 'end function' [line 2]",
    );
    check(
        "f = function\nif 1 then\nend function",
        "'if' without matching 'end if' [line 3]",
    );
}

#[test]
fn errors_of_the_lexer() {
    let quote = "Lexer Error: missing closing quote (\")";
    assert_eq!(
        first_error("x = 1\nprint \"abc\n"),
        format!("{quote} [line 2]")
    );
    assert_eq!(
        first_error("x = 1\n\"abc"),
        quote,
        "where a statement would begin there is no line"
    );
    let end = "Lexer Error: 'end' without following keyword ('if', 'function', etc.)";
    assert_eq!(first_error("x = end"), format!("{end} [line 1]"));
    assert_eq!(first_error("while 1\nend"), end);
}

#[test]
fn legal_though_odd() {
    for text in [
        "5 = 3",
        "-5 = 3",
        "(@x) = 3",
        "if 0 then x=1 else y=2 z=3",
        "if 1 then x=1 end if",
        "if 1 then else",
        "if x then; print 1; end if",
        "f = function(a=(-1), b=null, a=\"x\", c=-(2),)\nend function",
        "x = [1,\n\n// why\n2,\n]\ny = {\n\"a\":\n1,}",
        "run function(a)\nprint a\nend function",
        "for x in [function(a)]\nreturn a\nend function\nprint x\nend for",
        "not x\ntrue\nx and\ny",
        "print x.\ny - \n1",
        "f \"x\", \n 1",
    ] {
        assert!(parse(text).is_ok(), "{text:?}: {}", first_error(text));
    }
}

#[test]
fn several_errors_are_reported_without_their_consequences() {
    let errors = |text: &str| -> Vec<String> {
        parse(text)
            .unwrap_err()
            .iter()
            .map(|diagnostic| diagnostic.to_string())
            .collect()
    };
    assert_eq!(
        errors("if x = 1 then\n  y = )\nend if\nz = 1 2\n"),
        [
            "Compiler Error: found = instead of == in if condition [line 1]",
            "Compiler Error: got RParen where number, string, or identifier is required [line 2]",
            "Compiler Error: got Number(2) where EOL is required [line 4]",
        ]
    );
    assert_eq!(
        errors("x = {\n\"a\": 1\n\"b\": 2,\n\"c\": 3\n}\ny = ]").len(),
        2
    );
    assert_eq!(
        errors("x = [1 2\nwhile y\nz = )\nend while").len(),
        2,
        "a keyword ends the search for the bracket"
    );
    assert_eq!(errors("print \"a\nprint \"b\nend\n").len(), 3);
    assert_eq!(errors(&"x = )\n".repeat(1000)).len(), 20);
}
