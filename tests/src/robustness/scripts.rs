//! The hostile programs.

use super::End::{Ends, Prints, Refuses, Reports, Succeeds, SucceedsOrReports};
use super::{Case, End};
use crate::process::Streams;

/// All cases.
pub(super) fn cases() -> Vec<Case> {
    let mut cases = source_text();
    cases.extend(depth_and_length());
    cases.extend(sizes());
    cases.extend(recursion());
    cases.extend(cycles());
    cases.extend(surroundings());
    cases
}

/// Pseudo-random bytes, always the same ones (a multiplicative congruential generator; the constant is Knuth's).
fn noise(length: usize) -> Vec<u8> {
    let mut state: u64 = 1;
    (0..length)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            state.to_be_bytes()[0]
        })
        .collect()
}

fn source_text() -> Vec<Case> {
    vec![
        Case::new("empty source", "", Prints("")),
        Case::new("random bytes", noise(10_000), Reports("")),
        Case::new("zero bytes", vec![0; 10_000], Reports("")),
        Case::new("invalid UTF-8", b"x = \xff\xfe\xc3".as_slice(), Reports("")),
        Case::new(
            "invalid UTF-8 in a string",
            b"print \"\xff\"".as_slice(),
            Prints("\u{fffd}\n"),
        ),
        Case::new(
            "string left open",
            "print \"abc",
            Reports("missing closing quote"),
        ),
        Case::new("function left open", "f = function\nprint 1", Reports("")),
        Case::new("block left open", "while true\nif 1 then", Reports("")),
        Case::new("list left open", "x = [1, 2", Reports("")),
        Case::new("map left open", "x = {\"a\":", Reports("")),
        Case::new("parenthesis left open", "x = (1 + 2", Reports("")),
        Case::new("operator without operand", "x = 1 +", Reports("")),
        Case::new("end without beginning", "end while", Reports("")),
    ]
}

fn repeated(text: &str, times: usize) -> String {
    text.repeat(times)
}

fn depth_and_length() -> Vec<Case> {
    const DEEP: usize = 100_000;
    let nested = |open: &str, middle: &str, close: &str| {
        format!(
            "x = {}{middle}{}",
            repeated(open, DEEP),
            repeated(close, DEEP)
        )
    };
    let blocks = |open: &str, close: &str| {
        format!("{}x = 1\n{}", repeated(open, DEEP), repeated(close, DEEP))
    };
    let statements: String = (0..60_000)
        .map(|n| format!("variable{n} = {n}\n"))
        .collect();
    let long_line = repeated("1 + ", 1 << 18);
    vec![
        Case::new(
            "nested parentheses",
            nested("(", "1", ")"),
            SucceedsOrReports,
        ),
        Case::new("nested brackets", nested("[", "", "]"), SucceedsOrReports),
        Case::new("nested maps", nested("{1:", "1", "}"), SucceedsOrReports),
        Case::new("nested indexes", nested("x[", "0", "]"), SucceedsOrReports),
        Case::new("nested calls", nested("abs(", "1", ")"), SucceedsOrReports),
        Case::new(
            "parentheses left open",
            format!("x = {}", repeated("(", DEEP)),
            Reports(""),
        ),
        Case::new("signs in a row", nested("-", "1", ""), SucceedsOrReports),
        Case::new("nots in a row", nested("not ", "1", ""), SucceedsOrReports),
        Case::new(
            "powers in a row",
            nested("1 ^ ", "1", ""),
            SucceedsOrReports,
        ),
        Case::new("members in a row", nested("", "x", ".y"), SucceedsOrReports),
        Case::new(
            "comparisons in a row",
            nested("1 < ", "1", ""),
            SucceedsOrReports,
        ),
        Case::new(
            "nested ifs",
            blocks("if 1 then\n", "end if\n"),
            SucceedsOrReports,
        ),
        Case::new(
            "nested loops",
            blocks("for i in [1]\n", "end for\n"),
            SucceedsOrReports,
        ),
        Case::new(
            "nested functions",
            blocks("f = function\n", "end function\n"),
            SucceedsOrReports,
        ),
        Case::new(
            "a line of a megabyte",
            format!("print {long_line}1"),
            SucceedsOrReports,
        ),
        Case::new(
            "a string of a megabyte",
            format!("print \"{}\".len", repeated("x", 1 << 20)),
            Prints("1048576\n"),
        ),
        Case::new(
            "a name of a megabyte",
            format!("{0} = 1\nprint {0}", repeated("x", 1 << 20)),
            Prints("1\n"),
        ),
        Case::new(
            "a comment of a megabyte",
            format!("// {}\nprint 1", repeated("x", 1 << 20)),
            Prints("1\n"),
        ),
        Case::new(
            "a number of a megabyte",
            format!("x = {}", repeated("1", 1 << 20)),
            SucceedsOrReports,
        ),
        Case::new(
            "a list literal of a megabyte",
            format!("x = [{}1]\nprint x.len", repeated("1, ", 349_525)),
            SucceedsOrReports,
        ),
        Case::new(
            "a script of a megabyte",
            format!("{statements}print variable59999"),
            Prints("59999\n"),
        ),
        Case::new(
            "a script of a megabyte of one statement",
            format!("x = 0\n{}print x", repeated("x = x + 1\n", 100_000)),
            Prints("100000\n"),
        ),
        Case::new(
            "a function with thousands of parameters",
            format!(
                "f = function({}last)\nreturn last\nend function\nprint f",
                (0..5_000).map(|n| format!("p{n}, ")).collect::<String>()
            ),
            SucceedsOrReports,
        ),
        Case::new(
            "a call with thousands of arguments",
            format!("print({}1)", repeated("1, ", 5_000)),
            Reports(""),
        ),
    ]
}

fn sizes() -> Vec<Case> {
    let doubled = |start: &str| format!("s = {start}\nfor i in range(1, 60)\ns = s + s\nend for");
    vec![
        Case::new(
            "a string doubled",
            doubled("\"x\""),
            Reports("string too large"),
        ),
        Case::new("a list doubled", doubled("[0]"), Reports("list too large")),
        Case::new("a long list", "x = [0] * 1e12", Reports("list too large")),
        Case::new(
            "a long string",
            "x = \"x\" * 1e12",
            Reports("string too large"),
        ),
        Case::new("a long range", "x = range(1e12)", Reports("range() error")),
        Case::new(
            "a long range in a loop",
            "for i in range(1, 1e12)\nend for",
            Reports("range() error"),
        ),
        Case::new(
            "an endless range",
            "x = range(0, 10, 0)",
            Reports("range() error"),
        ),
        Case::new(
            "a range of no number",
            "x = range(0/0, 1)",
            Reports("range() error"),
        ),
        Case::new(
            "a map that grows",
            "m = {}\ni = 0\nwhile true\nm[i] = i\ni = i + 1\nend while",
            Reports(""),
        ),
        Case::new(
            "a list that grows",
            "x = []\nwhile true\nx.push x\nend while",
            Reports(""),
        ),
        Case::new(
            "lists that grow",
            "all = []\nwhile true\nall.push [0] * 100000\nend while",
            Reports(""),
        ),
        Case::new(
            "a list linked without end",
            "x = null\nwhile true\nx = [x]\nend while",
            Reports(""),
        ),
        Case::new(
            "a string split into many",
            "x = (\"a,\" * 5000000).split(\",\")\nprint x.len",
            SucceedsOrReports,
        ),
        Case::new(
            "a string replaced by longer ones",
            "s = \"a\" * 10000000\ns = s.replace(\"a\", \"b\" * 1000000)",
            Reports(""),
        ),
        Case::new(
            "a text of many references to one list",
            "x = [0] * 1000\ny = [x] * 1000\nz = [y] * 1000\ns = str(z)",
            SucceedsOrReports,
        ),
        Case::new(
            "a join of long strings",
            "s = (([\"x\" * 1000000]) * 1000).join(\"\")",
            Reports("string too large"),
        ),
    ]
}

fn recursion() -> Vec<Case> {
    let overflow: End = Reports("Call stack overflow");
    vec![
        Case::new(
            "endless recursion",
            "f = function(n)\nreturn f(n + 1)\nend function\nf 1",
            overflow,
        ),
        Case::new(
            "endless mutual recursion",
            "f = function\ng\nend function\ng = function\nf\nend function\nf",
            overflow,
        ),
        Case::new(
            "endless recursion through a method",
            "A = {}\nA.f = function\nreturn self.f + 1\nend function\nprint (new A).f",
            overflow,
        ),
        Case::new(
            "endless recursion with many variables",
            format!(
                "f = function(n)\n{}return f(n + 1)\nend function\nf 1",
                (0..200).map(|n| format!("v{n} = n\n")).collect::<String>()
            ),
            overflow,
        ),
        Case::new(
            "prototypes in a circle",
            "a = {}\nb = {}\na.__isa = b\nb.__isa = a\nprint a.missing",
            Reports(""),
        ),
        Case::new(
            "a long chain of prototypes",
            "a = {}\nfor i in range(1, 100000)\na = new a\nend for\nprint a isa map\nprint a.missing",
            SucceedsOrReports,
        ),
    ]
}

fn cycles() -> Vec<Case> {
    let list = "a = [1]\na.push a\nb = [1]\nb.push b\n";
    let map = "a = {}\na.self = a\nb = {}\nb.self = b\n";
    let deep = "deep = null\nfor i in range(1, 300000)\ndeep = [deep]\nend for\n\
                other = null\nfor i in range(1, 300000)\nother = [other]\nend for\n";
    let with = |start: &str, rest: &str| format!("{start}{rest}");
    vec![
        Case::new("a list in itself, printed", with(list, "print a"), Succeeds),
        Case::new(
            "a list in itself, as text",
            with(list, "x = str(a) + a"),
            SucceedsOrReports,
        ),
        Case::new(
            "a list in itself, compared",
            with(list, "x = a == b"),
            SucceedsOrReports,
        ),
        Case::new(
            "a list in itself, found",
            with(list, "x = [b].indexOf(a)"),
            SucceedsOrReports,
        ),
        Case::new(
            "a list in itself, hashed",
            with(list, "x = hash(a)"),
            SucceedsOrReports,
        ),
        Case::new(
            "a list in itself, as a key",
            with(list, "m = {}\nm[a] = 1\nx = m.hasIndex(b)"),
            SucceedsOrReports,
        ),
        Case::new(
            "a list in itself, joined",
            with(list, "x = a.join(\",\")"),
            SucceedsOrReports,
        ),
        Case::new(
            "a list in itself, sorted",
            with(list, "a.sort"),
            SucceedsOrReports,
        ),
        Case::new("a map in itself, printed", with(map, "print a"), Succeeds),
        Case::new(
            "a map in itself, compared",
            with(map, "x = a == b"),
            SucceedsOrReports,
        ),
        Case::new(
            "a map in itself, hashed",
            with(map, "x = hash(a)"),
            SucceedsOrReports,
        ),
        Case::new(
            "a map in itself, as a key",
            with(map, "m = {}\nm[a] = 1\nx = m.hasIndex(b)"),
            SucceedsOrReports,
        ),
        Case::new(
            "a map as its own key",
            "m = {}\nm[m] = m\nprint m.len",
            SucceedsOrReports,
        ),
        Case::new(
            "a list as its own element many times",
            "a = []\nfor i in range(1, 1000)\na.push a\nend for\nprint str(a).len > 0\nx = hash(a)",
            SucceedsOrReports,
        ),
        Case::new("a deep list, printed", with(deep, "print deep"), Succeeds),
        Case::new(
            "deep lists, compared",
            with(deep, "x = deep == other"),
            SucceedsOrReports,
        ),
        Case::new(
            "a deep list, hashed",
            with(deep, "x = hash(deep)"),
            SucceedsOrReports,
        ),
        Case::new(
            "a deep list, as a key",
            with(deep, "m = {}\nm[deep] = 1\nx = m.hasIndex(other)"),
            SucceedsOrReports,
        ),
        Case::new(
            "globals, printed",
            "print globals\nx = hash(globals)",
            SucceedsOrReports,
        ),
    ]
}

fn surroundings() -> Vec<Case> {
    let chatter = "for i in range(1, 100000)\nprint \"to nobody\"\nend for";
    vec![
        Case::new("a missing script", "", Refuses).with_arguments(&["missing.ms"]),
        Case::new("a folder as script", "", Refuses).with_arguments(&["folder"]),
        Case::new("an unknown option", "", Refuses)
            .with_arguments(&["--no-such-option", "main.ms"]),
        Case::new("nobody reads the output", chatter, Ends).with_streams(Streams::BrokenPipe),
        Case::new("a missing library", "import \"missing\"", Reports("")),
        Case::new(
            "a library that imports itself",
            "import \"main\"",
            SucceedsOrReports,
        ),
        Case::new(
            "libraries that import each other",
            "import \"one\"",
            SucceedsOrReports,
        )
        .with_file("one.ms", "import \"two\"")
        .with_file("two.ms", "import \"one\""),
        Case::new(
            "a library that does not compile",
            "import \"broken\"",
            Reports("Compiler Error"),
        )
        .with_file("broken.ms", "x = = 1"),
        Case::new(
            "a library of random bytes",
            "import \"random\"",
            Reports(""),
        )
        .with_file("random.ms", noise(10_000)),
        Case::new(
            "input at its end",
            "while input != null\nend while",
            Succeeds,
        ),
    ]
}
