//! Programs of unreasonable shape: deep ones are errors, long ones work, and neither harms the stack.

use kiln_frontend::miniscript::ast::{ExprKind, StatementKind};
use kiln_frontend::miniscript::parser::{MAX_BLOCK_DEPTH, MAX_EXPRESSION_DEPTH};

use crate::{first_error, parse};

/// Runs on a stack of the size that threads have by default.
fn on_thread_stack(test: fn()) {
    let thread = std::thread::Builder::new()
        .stack_size(2 * 1024 * 1024)
        .spawn(test)
        .unwrap();
    thread.join().unwrap();
}

const TOO_DEEP: &str = "Compiler Error: expression nested too deeply [line 1]";

#[test]
fn deep_expressions_are_errors() {
    on_thread_stack(|| {
        for nest in [
            "(",
            "[",
            "{1:",
            "f(",
            "f[",
            "not (",
            "-(",
            "new (",
            "@(",
            "1 + (",
            "f.g(",
            "1 or 1 and not 1 isa 1 == 1 + 1 * - new 1 ^ @f(",
        ] {
            assert_eq!(
                first_error(&format!("x = {}", nest.repeat(100_000))),
                TOO_DEEP,
                "{nest}"
            );
        }
        assert_eq!(
            first_error(
                &"function(a="
                    .repeat(100_000)
                    .replacen("function", "f = function", 1)
            ),
            TOO_DEEP
        );
        let leaning_left = format!(
            "x = {}1{}",
            "(".repeat(200),
            ")^1*1+1==1 isa 1 and 1 or 1".repeat(200)
        );
        assert_eq!(first_error(&leaning_left), TOO_DEEP);
    });
}

#[test]
fn expressions_may_be_quite_deep() {
    on_thread_stack(|| {
        for (open, close) in [("(", ")"), ("[", "]"), ("f(", ")"), ("(", ").x")] {
            let depth = MAX_EXPRESSION_DEPTH - 1;
            let text = format!("x = {}1{}", open.repeat(depth), close.repeat(depth));
            assert!(parse(&text).is_ok(), "{open}{close}");
        }
    });
}

#[test]
fn deep_blocks_are_errors() {
    on_thread_stack(|| {
        for open in [
            "if 1 then\n",
            "while 1\n",
            "for i in x\n",
            "f = function\n",
            "f = [function()]\n",
        ] {
            let line = MAX_BLOCK_DEPTH + 1;
            let expected = format!("Compiler Error: blocks nested too deeply [line {line}]");
            assert_eq!(first_error(&open.repeat(100_000)), expected);
        }
        let expected = "Compiler Error: blocks nested too deeply [line 1]";
        assert_eq!(first_error(&"if 1 then ".repeat(100_000)), expected);
    });
}

#[test]
fn long_chains_are_flat() {
    on_thread_stack(|| {
        let program = parse(&format!("x = 0{}", " + 1 - 2".repeat(50_000))).unwrap();
        let StatementKind::Assign { value, .. } = &program.main().body[0].kind else {
            panic!()
        };
        let ExprKind::Arithmetic { rest, .. } = &value.kind else {
            panic!()
        };
        assert_eq!(rest.len(), 100_000);

        for text in [
            format!("x = [{}]", "1,".repeat(100_000)),
            format!("x = {{{}}}", "1:2,".repeat(100_000)),
            format!("x = a{}", ".b(2)[1]".repeat(50_000)),
            format!("x = a{}", " and b or c".repeat(50_000)),
            format!("x = a{}", " < b".repeat(100_000)),
            format!("f {}1", "1, ".repeat(100_000)),
            format!("if a then\n{}end if", "x\nelse if b then\n".repeat(50_000)),
            format!("if a then x {}", "else if b then y ".repeat(50_000)),
            format!("f = function({})\nend function", "a,".repeat(100_000)),
            "f = function\nend function\n".repeat(50_000),
            "\n;".repeat(100_000),
        ] {
            assert!(parse(&text).is_ok(), "{:.60}", text);
        }
        let keyword = format!("{}if", "end ".repeat(100_000));
        let expected =
            format!("Compiler Error: unexpected keyword '{keyword}' at start of line [line 1]");
        assert!(first_error(&keyword) == expected);
    });
}

#[test]
fn every_prefix_of_a_program_is_handled() {
    let text = "f = function(a, b=-1) // é\n  if a.b[1:] == \"x\"\"y\" then return @a else a.c 1, 2\n\
                for i in [1, {2: 3}]; x += 4.5 ^ 2; break; end for\nend function\nwhile not f isa new g; end while";
    for (end, _) in text.char_indices() {
        let _ = parse(&text[..end]);
        let _ = parse(&text[end..]);
    }
    assert!(parse(text).is_ok());
}
